"""What was said before the context window begins, in short."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from agents.workers.models.window import Count

SUMMARY_TOKENS = 160
_INSTRUCTION = (
    "Summarise the conversation in at most five sentences. Keep names, numbers, decisions and what the user "
    "wants."
)
_HEADING = "Earlier in this conversation, in short: "


def to_summarise(left_out: Sequence[BaseMessage], room: int, count: Count) -> list[BaseMessage]:
    """What a model is asked; of the messages the end, as far as it fits into `room` tokens."""
    said = "\n".join(f"{message.type}: {message.text}" for message in left_out)
    while True:
        asked: list[BaseMessage] = [SystemMessage(_INSTRUCTION), HumanMessage(said)]
        tokens = count(asked)
        if tokens <= room or len(said) < 2:
            return asked
        said = said[-max(1, min(len(said) - 1, len(said) * room // (tokens + 1))) :]


def with_summary(messages: Sequence[BaseMessage], summary: str) -> list[BaseMessage]:
    """The messages with the summary in their system prompt, or in one of its own."""
    text = _HEADING + " ".join(summary.split())
    if messages and isinstance(messages[0], SystemMessage):
        return [SystemMessage(f"{messages[0].text}\n\n{text}"), *messages[1:]]
    return [SystemMessage(text), *messages]
