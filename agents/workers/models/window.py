"""A context window: which of the messages fit, and what to say of those that do not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage, SystemMessage

from agents.modalities import attachments_of

_REFUSAL = re.compile(r"context (?:length|size|window)\D{0,30}?(\d{2,})", re.IGNORECASE)

_ATTACHED = 1000  # tokens of an image or some seconds of speech

Count = Callable[[Sequence[BaseMessage]], int]
"""Messages → tokens of their prompt."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Messages that fit.

    Attributes:
        messages: the system prompt, if any, and the last turns.
        left_out: how many older messages are not among them.
        tokens: of the prompt.
        fits: whether even these are within the window; if not, the last message alone is too long.
    """

    messages: Sequence[BaseMessage]
    left_out: int
    tokens: int
    fits: bool


def fit(messages: Sequence[BaseMessage], room: int, count: Count) -> Fitted:
    """Keep the system prompt, the last message, and of the others as many of the latest as fit.

    What is kept begins with a human turn, as chat templates want it.

    Args:
        messages: at least one; a system message stands first.
        room: tokens that the prompt may have.
        count: of the worker's model; called a few times.
    """
    head = list(messages[:1]) if isinstance(messages[0], SystemMessage) else []
    turns = list(messages[len(head) :])
    starts = [k for k, turn in enumerate(turns) if turn.type == "human" or k == len(turns) - 1]
    low, high = 0, len(starts) - 1  # the first start from which everything fits, by bisection
    while low < high:
        middle = (low + high) // 2
        if count([*head, *turns[starts[middle] :]]) <= room:
            high = middle
        else:
            low = middle + 1
    start = 0 if low == 0 and count([*head, *turns]) <= room else starts[low]
    kept = [*head, *turns[start:]]
    tokens = count(kept)
    return Fitted(kept, start, tokens, tokens <= room)


def approximate_tokens(messages: Sequence[BaseMessage]) -> int:
    """About as many as a server's tokenizer would count; it is not here."""
    from langchain_core.messages.utils import count_tokens_approximately

    texts = [message.model_copy(update={"content": str(message.text)}) for message in messages]
    return count_tokens_approximately(texts) + sum(_ATTACHED * len(attachments_of(one)) for one in messages)


def window_in(refusal: str) -> int | None:
    """The size of the context window that a server's refusal names; None if it refused for another reason."""
    match = _REFUSAL.search(refusal)
    return int(match[1]) if match else None
