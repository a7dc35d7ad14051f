"""The arguments of one function from a question."""

from __future__ import annotations

from typing import Any

from tools.declaration import ToolFunction
from tools.errors import ToolError
from tools.expressions import parse, symbols
from tools.reading.assignment import assign
from tools.reading.formulas import Binding
from tools.reading.readers import read_mentions, respell
from tools.reading.stream import Mention, NotAskedError, Stream, UnreadError
from tools.reading.words import asks_for, counts, understood, vocabulary

_PUNCTUATION = frozenset(".,?!:;\"'()…“”‘’`")


_COUNTING = (("how", "many"), ("number", "of"))


def read_arguments(query: str, function: ToolFunction) -> dict[str, Any]:
    """The arguments that a question gives for a function, by parameter name; JSON values.

    Raises:
        UnreadError: if the question does not ask for this function, does not give every required argument
            unambiguously, or says something more.
    """
    try:
        return _read(Stream(query), function)
    except ToolError as error:  # of the grammar
        raise UnreadError(str(error)) from error


def _read(stream: Stream, function: ToolFunction) -> dict[str, Any]:
    asked = asks_for(stream, function)
    respell(stream, function)
    if not asked and not asks_for(stream, function):
        raise NotAskedError(f"The question does not ask for {function.name}.")
    read_mentions(stream, function)
    assigned = assign(stream, function)
    _check_bindings(assigned)
    _check_rest(stream, function)
    return {name: argument for name, (_, argument) in assigned.items()}


def _check_bindings(assigned: dict[str, tuple[Mention, Any]]) -> None:
    """A value "at y = 2" must be of the variable of the formula; it also names the variable."""
    bound = {mention.value.variable for mention, _ in assigned.values() if isinstance(mention.value, Binding)}
    if not bound or "expression" not in assigned:
        return
    variable = assigned["variable"][1] if "variable" in assigned else None
    free = symbols(parse(assigned["expression"][1]))
    if len(bound) > 1 or not bound <= free or (variable is not None and bound != {variable}):
        raise UnreadError(f"The variable {', '.join(sorted(bound))} is not the one of the formula.")
    if len(free) > 1 and variable is None:
        raise UnreadError(f"Say in which variable: {', '.join(sorted(free))}.")


def _check_rest(stream: Stream, function: ToolFunction) -> None:
    """Everything that is not a mention must be a word of the function, filler or punctuation."""
    for count in _COUNTING:
        if any(stream.words_at(index, count) for index in range(len(stream))) and not counts(function, count):
            raise UnreadError(f"The question asks for a count: {' '.join(count)!r}.")
    known = vocabulary(function)
    rest = [index for index, taken in enumerate(stream.taken) if not taken]
    words = [stream.lower[index] for index in rest]
    if words.count("(") != words.count(")"):
        raise UnreadError("The parentheses do not match.")
    for index in rest:
        if not (_is_punctuation(stream, index) or _is_word(stream, index, known)):
            raise UnreadError(f"{stream.source(index, index + 1)!r} was not understood.")


def _is_word(stream: Stream, index: int, known: frozenset[str]) -> bool:
    word = stream.lower[index]
    return word in known or (stream.tokens[index].kind == "name" and understood(word, known))


def _is_punctuation(stream: Stream, index: int) -> bool:
    if stream.lower[index] == "-":  # a dash between words
        return not stream.adjacent(index) and not stream.adjacent(index + 1)
    if stream.lower[index] == "=":  # "2 + 2 = ?"
        return all(word in _PUNCTUATION for word in stream.lower[index + 1 :])
    return stream.lower[index] in _PUNCTUATION
