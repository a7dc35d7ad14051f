"""Find images and audio in messages, and say what a worker can read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, get_args

from langchain_core.messages import BaseMessage, HumanMessage

Modality = Literal["image", "audio"]

_NOT_MEDIA = frozenset({"text", "reasoning", "tool_call", "non_standard"})


def attachments_of(message: BaseMessage) -> list[dict[str, Any]]:
    """Return the blocks of a message that are not text, in LangChain's standard form; JSON values."""
    if isinstance(message.content, str):
        return []
    return [dict(block) for block in message.content_blocks if block["type"] not in _NOT_MEDIA]


def modalities_of(attachments: Sequence[dict[str, Any]]) -> frozenset[str]:
    """Return the kinds of the attachments, whether or not a worker can declare them."""
    return frozenset(str(block["type"]) for block in attachments)


def with_words(message: BaseMessage) -> BaseMessage:
    """Return the message, with a text where it has attachments only: routing reads text."""
    attachments = attachments_of(message)
    if not attachments or str(message.text).strip():
        return message
    text = f"Answer the attached {listed(modalities_of(attachments))}."
    return human(text, attachments)


def readable(message: BaseMessage, modalities: frozenset[str]) -> BaseMessage:
    """Return an earlier message as a worker may see it: what it cannot read is only mentioned."""
    attachments = attachments_of(message)
    if modalities_of(attachments) <= modalities:
        return message
    kept = [one for one in attachments if modalities_of([one]) <= modalities]
    lacking = modalities_of(attachments) - modalities
    return human(f"{message.text}\n[Attached {listed(lacking)}, not shown]".strip(), kept)


def human(text: str, attachments: Sequence[dict[str, Any]] = ()) -> HumanMessage:
    """Build a message of the user, of text and attachments."""
    return HumanMessage([{"type": "text", "text": text}, *attachments] if attachments else text)


def listed(names: Collection[str]) -> str:
    """Join names for a sentence: "audio and image"."""
    return " and ".join(sorted(names)) or "text"


def refusal(node: str, lacking: Collection[str]) -> str:
    """Say that a worker cannot read what is attached, and which worker could."""
    known = [name for name in lacking if name in get_args(Modality)]
    hint = (
        f"A worker whose model can says `modalities: [{', '.join(sorted(known))}]` in its spec."
        if known
        else f"Workers may declare {listed(get_args(Modality))}."
    )
    return f"{node} cannot read the attached {listed(lacking)}. {hint}"
