"""A causal model of about a million parameters and its tokenizer, from nothing: `--tiny`.

The tokenizer is byte-level BPE that keeps punctuation and numbers apart, so that a query has the same tokens
in the prompt and within a call's quotes: what is to be copied should look the same in both places.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

CONTROL = ("<|pad|>", "<|user|>", "<|assistant|>", "<nexa_end>")
BEFORE, AFTER = "<|user|>", "<|assistant|>"
_APART = Regex(r"\n|[^\s\p{L}\p{N}]|\p{N}{1,2}")


def train_tokenizer(texts: Sequence[str], *, slots: int, size: int = 1000) -> Tokenizer:
    """A tokenizer for `texts` that spells any other text in bytes.

    Args:
        texts: what it should spell briefly.
        slots: functional tokens `<nexa_0>` … in its vocabulary.
        size: of the vocabulary, control and functional tokens apart.
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
    """Write `tokenizer` so that transformers loads it too."""
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
    """An untrained Qwen3 with tied embeddings.

    Its normalised queries and keys let attention heads that copy form within hundreds of steps, where
    Llama's need thousands.
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
            eos_token_id=CONTROL.index("<nexa_end>"),
            pad_token_id=0,
        )
    )
