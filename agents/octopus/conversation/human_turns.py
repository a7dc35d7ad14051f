"""The human turns of a conversation, as every kind of Octopus reads them."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage

from agents.errors import InputError
from agents.octopus.tokens import defuse

_TURNS = 6  # human turns that are read; older ones no longer carry the subject


def human_turns(conversation: Sequence[BaseMessage]) -> list[str]:
    """What `clean_turns` makes of the human messages; it raises as that does."""
    return clean_turns([str(message.text) for message in conversation if isinstance(message, HumanMessage)])


def clean_query(query: str) -> str:
    """The query as it may be routed: text, not empty, look-alikes of control tokens made harmless.

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
    """The human turns that routing reads: the last one and the few before it that say something else.

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
    """The verbatim query, with the earlier question that a follow-up refers to."""
    return f"{query}\n\n[Follow-up to: {refers_to}]" if refers_to else query


def as_one_question(query: str, refers_to: str) -> str:
    """A follow-up behind the question that it refers to, for tools: one sentence, nothing around it."""
    return f"{refers_to.rstrip(' ?!.')} {query}" if refers_to else query
