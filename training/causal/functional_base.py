"""A base with functional tokens in its vocabulary: a public model, or a tiny one from nothing.

The tokens live in the base, which all adapters share: serving engines take no extra vocabulary with an
adapter.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from agents.errors import ArtifactError, InputError
from agents.octopus.tokens import END_TOKEN, slot_token
from training.causal.tiny_model import AFTER, BEFORE, save_tokenizer, tiny_model, train_tokenizer

_INSTRUCTION = (
    "Below is a query from a user. Call the function of the specialist who should answer it, "
    "with the query rewritten for that specialist."
)
_PLACE = "QUERY-GOES-HERE"


def bake_tiny(folder: Path, texts: Sequence[str], *, slots: int, seed: int) -> Any:
    """An untrained tiny model whose tokenizer is saved to `folder`."""
    tokenizer = train_tokenizer(texts, slots=slots)
    save_tokenizer(tokenizer, folder)
    return tiny_model(tokenizer.get_vocab_size(), seed=seed)


def bake_public(folder: Path, base: str, *, slots: int, seed: int) -> tuple[Any, str, str]:
    """The model `base`, a folder or a name on the Hub, with functional tokens; `folder` gets its tokenizer.

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
        raise InputError(f"{base!r} is no causal model that can be read ({error}).") from error
    if not tokenizer.is_fast:
        raise InputError(f"{base!r} has no fast tokenizer (tokenizer.json).")
    before, after = chat_format(tokenizer)
    names = [END_TOKEN, *(slot_token(slot) for slot in range(slots))]
    tokenizer.add_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    add_rows(model, tokenizer.convert_tokens_to_ids(names), seed=seed)
    tokenizer.save_pretrained(folder)
    return model, before, after


def chat_format(tokenizer: Any) -> tuple[str, str]:
    """What stands before and after a query: the model's own chat template, or plain text."""
    if not tokenizer.chat_template:
        return f"{_INSTRUCTION}\n\nQuery: ", "\n\nCall: "
    said = [{"role": "user", "content": f"{_INSTRUCTION}\n\n{_PLACE}"}]
    text = str(tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True))
    before, _, after = text.partition(_PLACE)
    return before, after


def add_rows(model: Any, ids: Sequence[int], *, seed: int) -> None:
    """Give each of `ids` a row of its own in both embeddings, which may be one.

    A row is the mean of the others and noise of their spread, so that no two tokens are alike: equal rows
    would have equal logits for ever in an adapter that does not train them.

    Raises:
        ArtifactError: two rows are equal all the same.
    """
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


def tiny_format() -> tuple[str, str]:
    """What stands before and after a query of a tiny model."""
    return BEFORE, AFTER
