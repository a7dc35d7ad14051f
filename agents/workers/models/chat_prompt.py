"""Turn messages into token ids by a model's chat template; no text passes for a control token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage, SystemMessage

from agents.errors import InputError

Turn = dict[str, str]


def prompt_ids(tokenizer: Any, messages: Sequence[BaseMessage]) -> list[int]:
    """Return the ids of a prompt that ends where the model's answer begins.

    Raises:
        InputError: a message spells a control token of this model in a way that cannot be undone.
    """
    turns = [_turn(tokenizer, message) for message in messages]
    text = _rendered(tokenizer, _merged(turns))
    # The template wrote the token that begins a text already, if there is one.
    templated = tokenizer.chat_template is not None
    return [int(token) for token in tokenizer(text, add_special_tokens=not templated)["input_ids"]]


def harmless(tokenizer: Any, text: str) -> str:
    """Break this model's control tokens in `text` by a space (`</s>` → `< /s>`).

    Raises:
        InputError: it still holds one.
    """
    controls = sorted(_controls(tokenizer), key=len, reverse=True)
    for control in controls:
        text = text.replace(control, f"{control[0]} {control[1:]}")
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    offender = next(
        (token for token in tokenizer(text, add_special_tokens=False)["input_ids"] if token in special), None
    )
    if offender is not None:
        spelt = tokenizer.convert_ids_to_tokens(offender)
        raise InputError(f"the query spells the control token {spelt!r}.", hint="Leave it out.")
    return text


def _controls(tokenizer: Any) -> list[str]:
    """List special tokens, and added ones that look special; vocabularies also add words and spaces."""
    added = tokenizer.added_tokens_decoder.values()
    shown = {str(token) for token in added if token.special or str(token).startswith(("<", "["))}
    return [token for token in shown | set(tokenizer.all_special_tokens) if len(token) > 1]


def _turn(tokenizer: Any, message: BaseMessage) -> Turn:
    role = {"ai": "assistant", "system": "system"}.get(message.type, "user")  # a tool's result is data too
    text = str(message.text)
    return {
        "role": role,
        "content": text if isinstance(message, SystemMessage) else harmless(tokenizer, text),
    }


def _merged(turns: Sequence[Turn]) -> list[Turn]:
    """Join turns of one role in a row: many templates insist that user and assistant take turns."""
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1] = {**turn, "content": f"{merged[-1]['content']}\n\n{turn['content']}"}
        else:
            merged.append(turn)
    return merged


def _rendered(tokenizer: Any, turns: list[Turn]) -> str:
    if tokenizer.chat_template is None:  # a base model, not taught to chat
        names = {"user": "Question: ", "assistant": "Answer: ", "system": ""}
        return "".join(f"{names[turn['role']]}{turn['content']}\n\n" for turn in turns) + "Answer:"
    from jinja2 import TemplateError

    try:
        return _templated(tokenizer, turns)
    except TemplateError:
        return _templated(tokenizer, _without_system(turns))


def _templated(tokenizer: Any, turns: list[Turn]) -> str:
    return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))


def _without_system(turns: Sequence[Turn]) -> list[Turn]:
    """Move the system prompt into a user turn, for templates that refuse it or a first assistant turn."""
    moved = [{**turn, "role": "user"} if turn["role"] == "system" else dict(turn) for turn in turns]
    while moved and moved[0]["role"] == "assistant":
        moved.pop(0)
    return _merged(moved)
