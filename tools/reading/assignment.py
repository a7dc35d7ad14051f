"""Mentions to parameters: by type and by cues, and only if there is exactly one way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tools import types
from tools.declaration import Parameter, ToolFunction
from tools.reading.acceptance import accept
from tools.reading.stream import Mention, Stream, UnreadError
from tools.reading.words import cue_length, trailing_cue_length

_MAX_MENTIONS = 12


@dataclass(frozen=True, slots=True)
class _Fit:
    parameter: str
    argument: Any
    cue: int


def assign(stream: Stream, function: ToolFunction) -> dict[str, tuple[Mention, Any]]:
    """The mention and the argument of each parameter.

    Raises:
        UnreadError: if a mention fits no parameter, a required parameter has none, or there are several ways.
    """
    if len(stream.mentions) > _MAX_MENTIONS:
        raise UnreadError(f"The question has {len(stream.mentions)} values: too many to tell apart.")
    fits = [_fits(stream, mention, function) for mention in stream.mentions]
    required = {parameter.name for parameter in function.parameters if parameter.required}
    ways = [way for way in _ways(fits) if required <= {fit.parameter for fit in way}]
    if function.in_order:
        ways = [way for way in ways if _is_in_order(way, function)]
    distinct = {repr(sorted((fit.parameter, repr(fit.argument)) for fit in way)): way for way in ways}
    if len(distinct) > 1:
        raise UnreadError(f"It is not clear which value is which of {_names(function)}.")
    if not distinct:
        found = {fit.parameter for options in fits for fit in options}
        missing = ", ".join(sorted(required - found)) or "a clear value for each of " + _names(function)
        raise UnreadError(f"The question does not give {missing}.")
    (way,) = distinct.values()
    return {fit.parameter: (mention, fit.argument) for mention, fit in zip(stream.mentions, way, strict=True)}


def _fits(stream: Stream, mention: Mention, function: ToolFunction) -> list[_Fit]:
    """The parameters that a mention may be; those that it is cued for, if there are any."""
    options = [
        fit for parameter in function.parameters if (fit := _fit(stream, mention, parameter, function))
    ]
    longest = max((fit.cue for fit in options), default=0)
    best = [fit for fit in options if fit.cue == longest]
    if not best:
        raise UnreadError(f"It is not clear what {stream.source(mention.first, mention.end)!r} is for.")
    return best


def _fit(stream: Stream, mention: Mention, parameter: Parameter, function: ToolFunction) -> _Fit | None:
    argument = accept(parameter.type, mention)
    if argument is None or (parameter.type is types.Point and _is_spoken_operation(stream, mention)):
        return None
    before = cue_length(stream, mention, parameter.cue.before)
    cue = max(before, trailing_cue_length(stream, mention, parameter.cue.after))
    speaks_for_itself = mention.kind == "differential" or (
        mention.kind == "binding" and [one.type for one in function.parameters].count(parameter.type) == 1
    )
    if parameter.cue.needed and not cue and not speaks_for_itself:
        return None
    return _Fit(parameter.name, argument, cue)


def _is_spoken_operation(stream: Stream, mention: Mention) -> bool:
    """ "from 0 to 3 times 2": the operation may be one on the result."""
    indices = range(mention.first, mention.end)
    return any(stream.lower[index] in ("+", "*", "/", "^") and stream.is_spoken(index) for index in indices)


def _ways(fits: list[list[_Fit]]) -> Iterator[tuple[_Fit, ...]]:
    """All ways to give every mention a parameter of its own."""
    if not fits:
        yield ()
        return
    for rest in _ways(fits[1:]):
        used = {fit.parameter for fit in rest}
        yield from ((fit, *rest) for fit in fits[0] if fit.parameter not in used)


def _is_in_order(way: tuple[_Fit, ...], function: ToolFunction) -> bool:
    """Whether the values without cues stand in the order of the parameters of their type."""
    places = {parameter.name: place for place, parameter in enumerate(function.parameters)}
    kinds = {parameter.name: parameter.type for parameter in function.parameters}
    uncued = [fit.parameter for fit in way if not fit.cue]
    return all(
        places[left] < places[right] or kinds[left] != kinds[right] for left, right in pairwise(uncued)
    )


def _names(function: ToolFunction) -> str:
    return ", ".join(parameter.name for parameter in function.parameters)
