"""Make a base with functional tokens in its vocabulary: from a public model, or a tiny one from nothing.

The tokens live in the base, which all adapters share, because serving engines take no extra vocabulary with
an adapter.

The tiny base has about a million parameters. Its tokenizer is byte-level BPE that keeps punctuation and
numbers apart, so that a query has the same tokens in the prompt and within a call's quotes: what is to be
copied should look the same in both places.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from agents.errors import ArtifactError, InputError
from agents.octopus.tokens import END_TOKEN, slot_token

CONTROL = ("<|pad|>", "<|user|>", "<|assistant|>", END_TOKEN)
TINY_FORMAT = ("<|user|>", "<|assistant|>")
"""What stands before and after the query in the prompt of a tiny model."""

_APART = Regex(r"\n|[^\s\p{L}\p{N}]|\p{N}{1,2}")
_INSTRUCTION = (
    "Below is a query from a user. Call the function of the specialist who should answer it, "
    "with the query rewritten for that specialist."
)
_PLACE = "QUERY-GOES-HERE"


def bake_tiny(folder: Path, texts: Sequence[str], *, slots: int, seed: int) -> Any:
    """Make an untrained tiny model, and save its tokenizer to `folder`."""
    tokenizer = train_tokenizer(texts, slots=slots)
    save_tokenizer(tokenizer, folder)
    return tiny_model(tokenizer.get_vocab_size(), seed=seed)


def train_tokenizer(texts: Sequence[str], *, slots: int, size: int = 1000) -> Tokenizer:
    """Train a tokenizer on `texts`; it spells any other text in bytes.

    Args:
        texts: what it should spell in few tokens.
        slots: number of functional tokens `<nexa_0>` … in its vocabulary.
        size: of the vocabulary, without control and functional tokens.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_APART, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [*CONTROL, *(f"<nexa_{slot}>" for slot in range(slots))]
    trainer = trainers.BpeTrainer(
        vocab_size=size + len(special),
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write `tokenizer` in a form that transformers loads too."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    described = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": CONTROL[0],
        "eos_token": CONTROL[-1],
        "model_max_length": 1024,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def tiny_model(vocabulary: int, *, seed: int, width: int = 128, layers: int = 4, heads: int = 4) -> Any:
    """Make an untrained Qwen3 with tied embeddings.

    Thanks to its normalised queries and keys, attention heads that copy form within hundreds of steps, where
    Llama needs thousands.
    """
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(seed)
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=width,
            intermediate_size=8 * width // 3 // 8 * 8,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=width // heads,
            initializer_range=0.05,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=CONTROL.index(END_TOKEN),
            pad_token_id=0,
        )
    )


def bake_public(folder: Path, base: str, *, slots: int, seed: int) -> tuple[Any, str, str]:
    """Add functional tokens to the model `base` (a folder, or a name on the Hub); save its tokenizer.

    Returns:
        The model, and what stands before and after the query in its prompt.

    Raises:
        InputError: there is no such model, or it has no fast tokenizer.
    """
    from safetensors import SafetensorError
    from transformers import AddedToken, AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
        model: Any = AutoModelForCausalLM.from_pretrained(base, dtype="auto", trust_remote_code=False)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{base!r} is no causal model that can be read: {error}.") from error
    if not tokenizer.is_fast:
        raise InputError(f"{base!r} has no fast tokenizer (tokenizer.json).")
    before, after = _chat_format(tokenizer)
    names = [END_TOKEN, *(slot_token(slot) for slot in range(slots))]
    tokenizer.add_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    add_rows(model, tokenizer.convert_tokens_to_ids(names), seed=seed)
    tokenizer.save_pretrained(folder)
    return model, before, after


def _chat_format(tokenizer: Any) -> tuple[str, str]:
    """Return what stands before and after a query: the model's own chat template, or plain text."""
    if not tokenizer.chat_template:
        return f"{_INSTRUCTION}\n\nQuery: ", "\n\nCall: "
    said = [{"role": "user", "content": f"{_INSTRUCTION}\n\n{_PLACE}"}]
    text = str(tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True))
    before, _, after = text.partition(_PLACE)
    return before, after


def add_rows(model: Any, ids: Sequence[int], *, seed: int) -> None:
    """Give each of `ids` a row of its own in both embedding tables, which may be the same one.

    A row is the mean of the others plus noise of their spread, so that no two tokens are alike: equal rows
    would keep equal logits under an adapter that does not train them.

    Raises:
        ArtifactError: two rows are equal nevertheless.
    """
    import torch

    if max(ids) >= model.get_input_embeddings().weight.shape[0]:
        model.resize_token_embeddings(max(ids) + 1, mean_resizing=False)
    generator = torch.Generator().manual_seed(seed)
    tables = {
        id(part.weight): part.weight for part in (model.get_input_embeddings(), model.get_output_embeddings())
    }
    for table in tables.values():
        with torch.no_grad():
            old = table[: min(ids)].float()
            noise = torch.randn(len(ids), old.shape[1], generator=generator).to(old.device)
            rows = old.mean(0) + old.std(0) * noise
            table[list(ids)] = rows.to(table.dtype)
            if len(table[list(ids)].unique(dim=0)) < len(ids):
                raise ArtifactError("two functional tokens have the same embedding.", hint="Change --seed.")
