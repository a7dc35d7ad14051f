"""Read what the last turn of a conversation asks, as tools may read it.

A turn is read by itself first, then completed by what it refers to: the last question that stands by itself,
each completed by the ones before, or the result before. Turns are never glued together, and what is not clear
is not offered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from agents.errors import InputError
from agents.octopus.conversation.acts import Act, act_of, is_courtesy, without_courtesies
from agents.octopus.conversation.dependent_clauses import leans
from agents.octopus.conversation.ellipsis import completed_turn
from agents.octopus.conversation.frames import unframed
from agents.octopus.conversation.functions_asked import asks_of_names, with_name
from agents.octopus.conversation.human_turns import clean_query
from agents.octopus.conversation.result_before import (
    Result,
    operation,
    points_back,
    result_of,
    with_result,
    within_turn,
)
from agents.octopus.conversation.situations import told_plainly
from agents.octopus.conversation.slots import figures, kind_of
from tools.reading.normal import normalised

_TURNS = 6
_LONGEST = 120  # characters of a turn that leaves something out
_WHAT_ABOUT = re.compile(r"(?:and |or |so )?(?:what|how) about\b", re.IGNORECASE)
_GOES_ON = re.compile(
    r"[\s¿]*(?:(?:and|or|but|then|now|y|e|und|et|what about|how about|same|the same|do the same)\b|那"
    r"|再)",
    re.IGNORECASE,
)
# Of a formula, a question; of words, a wish to hear them said otherwise.
_SIMPLIFY = re.compile(r"simplify (?:it|that|this)\W*", re.IGNORECASE)
# Operators that may be of the question before, and not of its result.
_SHARED = frozenset("off mod modulo decimal decimals places tip discount".split())


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what the last turn does and what it asks.

    Attributes:
        act: `explanation` asks for words about a subject of its own; `conversational` has none.
        readings: what tools may read, in order: the bare turn, then the turn completed by what it refers
            to; the other way round where it says that it does ("and what day of the week is it?"). None
            unless a question is asked.
    """

    act: Act
    readings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Question:
    """Hold a question that stands by itself, completed if need be, with the result that answered it."""

    text: str
    result: Result | None
    computed: bool


def asked(conversation: Sequence[BaseMessage]) -> Asked:
    """Return what the last human turn asks.

    Raises:
        InputError: there is no human turn, or the last one is empty or not text.
    """
    *earlier, (turn, _) = _exchanges(conversation)
    turn = normalised(turn)
    bare = without_courtesies(turn)
    act = act_of(turn, bare)
    if act != "question" and not _SIMPLIFY.fullmatch(bare):
        return Asked(act)
    before: list[_Question] = []
    for said, reply in earlier:
        _advance(before, said, reply)
    completed = _completed(bare, before) or within_turn(bare)
    if not completed and act != "question":
        return Asked(act)
    if completed and act_of(completed) == "explanation":
        return Asked("explanation")
    readings = (completed, bare) if completed and _refers(bare) else (bare, completed)
    return Asked("question", tuple(filter(None, (*readings, *_plainly(bare)))))


def _plainly(bare: str) -> tuple[str, ...]:
    """Return what else a turn may be read as: without the frame before it, and the story that it tells."""
    rest = unframed(bare)
    if not rest:
        return (told_plainly(bare),)
    return () if act_of(rest) != "question" else (rest, within_turn(rest), told_plainly(rest))


def _exchanges(conversation: Sequence[BaseMessage]) -> list[tuple[str, str]]:
    """Return the last human turns, each with what the assistant said to it last."""
    found: list[tuple[str, str]] = []
    for message in conversation:
        text = str(message.text)
        if isinstance(message, HumanMessage):
            found.append((text, ""))
        elif isinstance(message, AIMessage) and found and text.strip():
            found[-1] = (found[-1][0], text)
    if not found:
        raise InputError("the query is empty.", hint="Ask something.")
    last = (clean_query(found[-1][0]), "")
    return [*(one for one in found[-_TURNS:-1] if one[0].strip()), last]


def _advance(before: list[_Question], said: str, reply: str) -> None:
    """Add the question of a turn, if it stands by itself or can be completed; "that" is what came last."""
    said = normalised(said)
    bare = without_courtesies(said)
    act = act_of(said, bare)
    if is_courtesy(said):
        return
    question = (_completed(bare, before) if act == "question" else "") or bare
    if question != bare or (act != "conversational" and _stands(bare, before)):
        result = None if _in_other_figures(question) else result_of(reply)
        before.append(_Question(question, result, "\nComputed with" in reply))
    elif before:
        before[-1] = replace(before[-1], result=result_of(reply))


def _in_other_figures(question: str) -> bool:
    """Return whether a question wants a numeral of a base, which looks like another number."""
    return "decimal" not in question and any(slot.kind == "base" for slot in figures(question))


def _stands(bare: str, before: Sequence[_Question]) -> bool:
    """Return whether a turn can be completed later: it has two words, or some signs of a script without."""
    says_enough = (
        len(bare.split()) > 1 or len(bare) > 4 * bare.isascii() + 3 or kind_of(bare) == "calculation"
    )
    return says_enough and not leans(bare, [question.text for question in before])


def _completed(bare: str, before: Sequence[_Question]) -> str:
    """Return the turn completed by what came before it; "" where that is not clear."""
    if not before or len(bare) > _LONGEST:
        return ""
    last, result = before[-1], before[-1].result
    first = _parallel if _is_parallel(bare, last.text) and not points_back(bare) else _operated
    second = _operated if first is _parallel else _parallel
    answer = result.text if result and result.kind == "name" else ""
    return (
        first(bare, before)
        or second(bare, before)
        or (with_name(bare, last.text, answer) if asks_of_names(bare) else "")
        or (with_result(bare, result) if result else "")
    )


def _operated(bare: str, before: Sequence[_Question]) -> str:
    result = before[-1].result
    return operation(bare, result) if result else ""


def _parallel(bare: str, before: Sequence[_Question]) -> str:
    """Return the turn completed by the last question, or by one before it that no tool has answered since."""
    for question in reversed(before):
        if found := completed_turn(bare, question.text):
            return found
        if question.computed:
            break
    return ""


def _is_parallel(bare: str, question: str) -> bool:
    """Return whether a turn is parallel to the question: "what about 30% off?", "mod 7?" after "mod 13"."""
    words, own = re.findall(r"\w+", question), re.findall(r"\w+", bare)
    return _WHAT_ABOUT.match(bare) is not None or bool(_SHARED & {*own} & {*words})


def _refers(bare: str) -> bool:
    """Return whether a turn says that it goes on with what came before it."""
    return _GOES_ON.match(bare) is not None or points_back(bare)
