"""Read the human turns of a conversation, and carry earlier turns and answers over, flagged as such."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from agents.errors import InputError
from agents.octopus.tokens import defuse
from agents.types import UNANSWERED, NodeName, Step

_TURNS = 6  # human turns that are read; older ones no longer carry the subject


@dataclass(frozen=True, slots=True)
class Turn:
    """Hold what a person said, and what came of it.

    Attributes:
        text: of the person.
        reply: the assistant's last words on it; "" where there are none, as on the last turn.
        node: who gave the reply, if that is known and was an answer.
        refused: whether nobody took the turn.
    """

    text: str
    reply: str = ""
    node: NodeName | None = None
    refused: bool = False


Said = Sequence[str | Turn]
"""A conversation: its human turns in order, as texts or with what came of them."""


def human_turns(conversation: Sequence[BaseMessage]) -> list[Turn]:
    """Return what `clean_turns` makes of the human messages and the replies to them.

    Raises:
        InputError: the last turn is empty or not text, or there is none.
    """
    turns: list[Turn] = []
    for message in conversation:
        text = str(message.text)
        if isinstance(message, HumanMessage):
            turns.append(Turn(text))
        elif isinstance(message, AIMessage) and turns and (text.strip() or message.name):
            name, unanswered = message.name or None, bool(message.additional_kwargs.get(UNANSWERED))
            node = NodeName(name) if name and not unanswered else None
            reply = "" if unanswered else text  # else it tells why there is no answer
            turns[-1] = replace(turns[-1], reply=reply, node=node, refused=unanswered and not name)
    return clean_turns(turns)


def messages_of(turns: Sequence[Turn]) -> list[BaseMessage]:
    """Return turns as messages, the replies with the names of who gave them."""
    messages: list[BaseMessage] = []
    for turn in turns:
        messages.append(HumanMessage(turn.text))
        if turn.reply or turn.node:
            messages.append(AIMessage(turn.reply, name=turn.node))
    return messages


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


def clean_turns(said: Said) -> list[Turn]:
    """Return the turns that routing reads: the last one and the few before it that say something else.

    Raises:
        InputError: the last turn is empty or not text, or there is none.
    """
    if not said:
        raise InputError("the query is empty.", hint="Ask something.")
    turns = [Turn(turn) if isinstance(turn, str) else turn for turn in said]
    last = replace(turns[-1], text=clean_query(turns[-1].text))
    earlier = [replace(turn, text=clean_query(turn.text)) for turn in turns[:-1] if turn.text.strip()]
    # A question that is asked again follows up on what it did before, not on itself.
    return [*[turn for turn in earlier if turn.text != last.text][-(_TURNS - 1) :], last]


def carry_over(query: str, refers_to: str) -> str:
    """Return the query with the earlier question that it follows up on, flagged."""
    return query + _follow_up(refers_to)


def uncarried(query: str, refers_to: str) -> str:
    """Return the query without what `carry_over` added."""
    return query.replace(_follow_up(refers_to), "")


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


def _follow_up(refers_to: str) -> str:
    return f"\n\n[Follow-up to: {refers_to}]" if refers_to else ""
