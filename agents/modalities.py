"""Images and audio in messages: which there are, and the message to route by when there is little text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, get_args

from langchain_core.messages import BaseMessage, HumanMessage

Modality = Literal["image", "audio"]

_NOT_MEDIA = frozenset({"text", "reasoning", "tool_call", "non_standard"})


def attachments_of(message: BaseMessage) -> list[dict[str, Any]]:
    """The blocks of a message that are not text, in LangChain's standard form; JSON values."""
    if isinstance(message.content, str):
        return []
    return [dict(block) for block in message.content_blocks if block["type"] not in _NOT_MEDIA]


def modalities_of(attachments: Sequence[dict[str, Any]]) -> frozenset[str]:
    """What a worker must be able to read for them; kinds that no worker can declare are named as they are."""
    return frozenset(str(block["type"]) for block in attachments)


def with_words(message: BaseMessage) -> BaseMessage:
    """The message itself, or where it is attachments only, with a text that says so: routing reads text."""
    attachments = attachments_of(message)
    if not attachments or str(message.text).strip():
        return message
    text = f"Answer the attached {listed(modalities_of(attachments))}."
    return human(text, attachments)


def readable(message: BaseMessage, modalities: frozenset[str]) -> BaseMessage:
    """An earlier message as a worker may be shown it: what it cannot read is only mentioned."""
    attachments = attachments_of(message)
    if modalities_of(attachments) <= modalities:
        return message
    kept = [one for one in attachments if modalities_of([one]) <= modalities]
    lacking = modalities_of(attachments) - modalities
    return human(f"{message.text}\n[Attached {listed(lacking)}, not shown]".strip(), kept)


def human(text: str, attachments: Sequence[dict[str, Any]] = ()) -> HumanMessage:
    """A message of text, with attachments if there are any."""
    return HumanMessage([{"type": "text", "text": text}, *attachments] if attachments else text)


def listed(names: Collection[str]) -> str:
    """Names in a sentence: "audio and image"."""
    return " and ".join(sorted(names)) or "text"


def refusal(node: str, lacking: Collection[str]) -> str:
    """What a worker says that cannot read what is attached."""
    known = [name for name in lacking if name in get_args(Modality)]
    hint = (
        f"A worker whose model can says `modalities: [{', '.join(sorted(known))}]` in its spec."
        if known
        else f"Workers may declare {listed(get_args(Modality))}."
    )
    return f"{node} cannot read the attached {listed(lacking)}. {hint}"
