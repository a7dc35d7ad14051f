"""Fit messages into a context window, and summarise those that are left out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from agents.modalities import attachments_of

SUMMARY_TOKENS = 160
_INSTRUCTION = (
    "Summarise the conversation in at most five sentences. Keep names, numbers, decisions and what the user "
    "wants."
)
_HEADING = "Earlier in this conversation, in short: "
_REFUSAL = re.compile(r"context (?:length|size|window)\D{0,30}?(\d{2,})", re.IGNORECASE)
_ATTACHED = 1000  # tokens of an image or some seconds of speech

Count = Callable[[Sequence[BaseMessage]], int]
"""Count the tokens of a prompt of these messages."""


@dataclass(frozen=True)
class Room:
    """Say how many tokens of a window the first messages leave (None: unknown), and count messages."""

    tokens: int | None
    count: Count

    @property
    def spare(self) -> int | None:
        """Return what tools and their results may take: an answer must fit too."""
        return None if self.tokens is None else max(1, self.tokens - min(1024, self.tokens // 2))

    async def beside(
        self, first: Sequence[BaseMessage], messages: Sequence[BaseMessage], tools: int
    ) -> int | None:
        """Return what `messages`, which go on from `first`, and tokens of tools leave for the answer."""
        if self.tokens is None:
            return None
        more = await asyncio.to_thread(lambda: self.count(messages) - self.count(first))
        return max(1, self.tokens - more - tools)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Hold the messages that fit.

    Attributes:
        messages: the system prompt, if any, and the last turns.
        left_out: how many older messages are missing.
        tokens: of the prompt.
        fits: whether these are within the window; if not, the last message alone is too long.
    """

    messages: Sequence[BaseMessage]
    left_out: int
    tokens: int
    fits: bool


def fit(messages: Sequence[BaseMessage], room: int, count: Count) -> Fitted:
    """Keep the system prompt, the last question with what follows it, and the latest others that fit.

    What is kept begins with a human turn, as chat templates want it.

    Args:
        messages: at least one; a system message stands first.
        room: tokens that the prompt may have.
        count: of the worker's model; called a few times.
    """
    head = list(messages[:1]) if isinstance(messages[0], SystemMessage) else []
    turns = list(messages[len(head) :])
    # Results of tools stay with the question that they are for.
    starts = [k for k, turn in enumerate(turns) if turn.type == "human"] or [0]
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


def to_summarise(left_out: Sequence[BaseMessage], room: int, count: Count) -> list[BaseMessage]:
    """Ask for a summary of the messages: of their end, as far as it fits into `room` tokens."""
    said = "\n".join(f"{message.type}: {message.text}" for message in left_out)
    while True:
        asked: list[BaseMessage] = [SystemMessage(_INSTRUCTION), HumanMessage(said)]
        tokens = count(asked)
        if tokens <= room or len(said) < 2:
            return asked
        said = said[-max(1, min(len(said) - 1, len(said) * room // (tokens + 1))) :]


def with_summary(messages: Sequence[BaseMessage], summary: str) -> list[BaseMessage]:
    """Put the summary into the system prompt of the messages, or into one of its own."""
    text = _HEADING + " ".join(summary.split())
    if messages and isinstance(messages[0], SystemMessage):
        return [SystemMessage(f"{messages[0].text}\n\n{text}"), *messages[1:]]
    return [SystemMessage(text), *messages]


def approximate_tokens(messages: Sequence[BaseMessage]) -> int:
    """Estimate the tokens that a server's tokenizer, which is not here, would count."""
    from langchain_core.messages.utils import count_tokens_approximately

    texts = [message.model_copy(update={"content": str(message.text)}) for message in messages]
    return count_tokens_approximately(texts) + sum(_ATTACHED * len(attachments_of(one)) for one in messages)


def window_in(refusal: str) -> int | None:
    """Read the size of the context window from a server's refusal; return None if it names none."""
    match = _REFUSAL.search(refusal)
    return int(match[1]) if match else None
