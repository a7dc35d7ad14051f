"""Read the human turns of a conversation, and carry earlier turns and answers over, flagged as such."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage

from agents.errors import InputError
from agents.octopus.tokens import defuse
from agents.types import Step

_TURNS = 6  # human turns that are read; older ones no longer carry the subject


def human_turns(conversation: Sequence[BaseMessage]) -> list[str]:
    """Return what `clean_turns` makes of the human messages.

    Raises:
        InputError: the last turn is empty or not text, or there is none.
    """
    return clean_turns([str(message.text) for message in conversation if isinstance(message, HumanMessage)])


def clean_query(query: str) -> str:
    """Return the query as it may be routed: not empty, with look-alikes of control tokens made harmless.

    Raises:
        InputError: it is empty or holds bytes that are not UTF-8.
    """
    try:
        query.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"the query is not valid UTF-8 at character {error.start}.", hint="Send UTF-8 text."
        ) from error
    cleaned = defuse(query.replace("\x00", " ")).strip()
    if not cleaned:
        raise InputError("the query is empty.", hint="Ask something.")
    return cleaned


def clean_turns(said: Sequence[str]) -> list[str]:
    """Return the turns that routing reads: the last one and the few before it that say something else.

    Raises:
        InputError: the last turn is empty or not text, or there is none.
    """
    if not said:
        raise InputError("the query is empty.", hint="Ask something.")
    last = clean_query(said[-1])
    # A question that is asked again follows up on what it did before, not on itself.
    earlier = [turn for turn in (clean_query(turn) for turn in said[:-1] if turn.strip()) if turn != last]
    return [*earlier[-(_TURNS - 1) :], last]


def carry_over(query: str, refers_to: str) -> str:
    """Return the verbatim query with the earlier question that it follows up on."""
    return f"{query}\n\n[Follow-up to: {refers_to}]" if refers_to else query


def as_one_question(query: str, refers_to: str) -> str:
    """Return a follow-up appended to the question that it refers to: one sentence, for tools."""
    return f"{refers_to.rstrip(' ?!.')} {query}" if refers_to else query


def carried(step: Step, most: int = 2_000) -> str:
    """Return at most `most` characters of a step's answer, flagged; look-alikes of tokens are defused."""
    return f"[Answer of {step.node}: {defuse(step.answer.strip())[:most]}]"


def carried_answers(path: Sequence[Step]) -> list[str]:
    """Return the answers of the steps that answered, flagged."""
    return [carried(step) for step in path if step.status == "answered" and step.answer.strip()]


def carry_answers(question: str, path: Sequence[Step]) -> str:
    """Return the verbatim question with the answers of this turn's steps."""
    answers = carried_answers(path)
    return "\n\n".join([question, "\n".join(answers)]) if answers else question
