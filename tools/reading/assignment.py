"""Assign mentions to parameters, by type and by cues, and only if there is exactly one way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tools import types
from tools.declaration import Parameter, ToolFunction
from tools.expressions import CURRENCIES, Apply, Literal, Node, Symbol, symbols
from tools.lexer import cut
from tools.reading.formulas import EquationText, render
from tools.reading.quantities import LENGTHS, MASSES, units_of
from tools.reading.query import Mention, TokenizedQuery, UnreadError
from tools.reading.vocabulary import is_spelled_like

_MAX_MENTIONS = 12
_BESIDE = frozenset("the a an is are of point value about exactly : = be".split())


@dataclass(frozen=True, slots=True)
class _Fit:
    parameter: str
    argument: Any
    cue: int


def assign(query: TokenizedQuery, function: ToolFunction) -> dict[str, tuple[Mention, Any]]:
    """Find the mention and the argument of each parameter.

    Raises:
        UnreadError: if a mention fits no parameter, a required parameter has none, or there are several ways.
    """
    if len(query.mentions) > _MAX_MENTIONS:
        raise UnreadError(f"The question has {len(query.mentions)} values: too many to tell apart.")
    fits = [_fits(query, mention, function) for mention in query.mentions]
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
    return {fit.parameter: (mention, fit.argument) for mention, fit in zip(query.mentions, way, strict=True)}


def cue_length(query: TokenizedQuery, mention: Mention, cues: tuple[str, ...]) -> int:
    """Count the words of the longest of these cues that stands directly before the mention."""
    end = mention.first
    while True:
        for words in cut(cues):
            first = end - len(words)
            if first >= 0 and all(map(is_spelled_like, query.words[first:end], words)):
                return len(words)
        if end == 0 or query.words[end - 1] not in _BESIDE:
            return 0
        end -= 1


def trailing_cue_length(query: TokenizedQuery, mention: Mention, cues: tuple[str, ...]) -> int:
    """Count the words of the longest of these cues that stands directly after the mention."""
    for words in cut(cues):
        if tuple(query.words[mention.end : mention.end + len(words)]) == words:
            return len(words)
    return 0


def _fits(query: TokenizedQuery, mention: Mention, function: ToolFunction) -> list[_Fit]:
    """Find the parameters that a mention may be; only those that it is cued for, if there are any."""
    options = [fit for parameter in function.parameters if (fit := _fit(query, mention, parameter, function))]
    longest = max((fit.cue for fit in options), default=0)
    best = [fit for fit in options if fit.cue == longest]
    if not best:
        raise UnreadError(f"It is not clear what {query.source(mention.first, mention.end)!r} is for.")
    return best


def _fit(
    query: TokenizedQuery, mention: Mention, parameter: Parameter, function: ToolFunction
) -> _Fit | None:
    argument = _accepted(parameter.type, mention)
    if argument is None or (parameter.type is types.Point and _is_spoken_operation(query, mention)):
        return None
    before = cue_length(query, mention, parameter.cue.before)
    cue = max(before, trailing_cue_length(query, mention, parameter.cue.after))
    speaks_for_itself = mention.kind == "differential" or (
        mention.kind == "binding" and [one.type for one in function.parameters].count(parameter.type) == 1
    )
    if parameter.cue.needed and not cue and not speaks_for_itself:
        return None
    return _Fit(parameter.name, argument, cue)


def _is_spoken_operation(query: TokenizedQuery, mention: Mention) -> bool:
    """Recognize the operation of "from 0 to 3 times 2", which may be one on the result."""
    indices = range(mention.first, mention.end)
    return any(query.words[index] in ("+", "*", "/", "^") and query.is_spoken(index) for index in indices)


def _ways(fits: list[list[_Fit]]) -> Iterator[tuple[_Fit, ...]]:
    """Yield all ways to give every mention a parameter of its own."""
    if not fits:
        yield ()
        return
    for rest in _ways(fits[1:]):
        used = {fit.parameter for fit in rest}
        yield from ((fit, *rest) for fit in fits[0] if fit.parameter not in used)


def _is_in_order(way: tuple[_Fit, ...], function: ToolFunction) -> bool:
    """Return whether the values without cues stand in the order of the parameters of their type."""
    places = {parameter.name: place for place, parameter in enumerate(function.parameters)}
    kinds = {parameter.name: parameter.type for parameter in function.parameters}
    uncued = [fit.parameter for fit in way if not fit.cue]
    return all(
        places[left] < places[right] or kinds[left] != kinds[right] for left, right in pairwise(uncued)
    )


def _names(function: ToolFunction) -> str:
    return ", ".join(parameter.name for parameter in function.parameters)


def _accepted(wanted: Any, mention: Mention) -> Any | None:
    """Make the argument that a mention gives for a type of `tools.types`, if it gives one."""
    if mention.kind in _AS_READ.get(wanted, ()):
        return mention.value
    rule = _RULES.get((wanted, mention.kind))
    return None if rule is None else rule(mention.value)


def _definition(equation: EquationText) -> str | None:
    """Take `y = x^2` for the formula x^2."""
    if isinstance(equation.left, Symbol) and equation.left.name not in symbols(equation.right):
        return render(equation.right)
    return None


def _calculation(node: Node) -> str | None:
    is_sum = isinstance(node, Apply) and node.arguments and not symbols(node)
    is_signed = isinstance(node, Apply) and node.name == "negative" and isinstance(node.arguments[0], Literal)
    return render(node) if is_sum and not is_signed else None


def _whole(node: Node) -> int | None:
    return int(node.digits) if isinstance(node, Literal) and node.digits.isdigit() else None


def _priced(node: Node) -> str | None:
    """Take a calculation with one currency, and not one amount alone."""
    alone = isinstance(node, Apply) and node.name == "*" and isinstance(node.arguments[0], Literal)
    is_amount = alone and isinstance(node, Apply) and isinstance(node.arguments[1], Symbol)
    return (
        render(node) if len(symbols(node)) == 1 and symbols(node) <= {*CURRENCIES} and not is_amount else None
    )


_AS_READ: dict[Any, tuple[str, ...]] = {
    types.Equations: ("equations",),
    types.Variable: ("differential",),
    types.Order: ("order",),
    types.Number: ("number",),
    types.Numbers: ("list",),
    types.Matrix: ("matrix",),
    types.Percent: ("percent",),
    types.Money: ("number",),
    types.Amount: ("number",),
    types.Relation: ("relation",),
    types.Years: ("years",),
    types.Days: ("days",),
    types.Months: ("months",),
    types.Frequency: ("frequency",),
    types.Quantity: ("quantity",),
    types.Unit: ("unit",),
    types.Date: ("date",),
    types.NextDate: ("date",),
    types.LastDate: ("date",),
    types.Now: ("now",),
    types.Period: ("period",),
    types.ClockTime: ("clock",),
    types.Zone: ("zone",),
    types.SourceZone: ("source_zone", "zone"),
    types.Country: ("country",),
    types.City: ("city",),
    types.State: ("state",),
    types.Formula: ("chemical",),
    types.Reaction: ("reaction",),
    types.Element: ("element",),
    types.Constant: ("constant",),
    types.Text: ("text",),
    types.Digits: ("numeral",),
    types.Base: ("base",),
    types.SourceBase: ("source_base", "base"),
    types.RomanNumeral: ("roman",),
}
"""The kinds of mention whose value is the argument itself."""
_RULES: dict[tuple[Any, str], Callable[[Any], Any | None]] = {
    (types.Expression, "formula"): render,
    (types.Expression, "equation"): _definition,
    (types.Polynomial, "formula"): lambda node: render(node) if symbols(node) else None,
    (types.Calculation, "formula"): _calculation,
    (types.Point, "formula"): lambda node: None if symbols(node) else render(node),
    (types.Point, "binding"): lambda binding: render(binding.value),
    (types.Variable, "formula"): lambda node: node.name if isinstance(node, Symbol) else None,
    (types.Integer, "formula"): _whole,
    (types.NextDate, "annual"): lambda days: days[1],
    (types.LastDate, "annual"): lambda days: days[0],
    (types.Integer, "number"): lambda value: value if isinstance(value, int) else None,
    (types.MoneyCalculation, "formula"): _priced,
    (types.Money, "money"): lambda amount: amount.value,
    (types.Amount, "money"): lambda amount: f"{amount.value} {amount.currency}",
    (types.Mass, "quantity"): lambda text: text if units_of(text) <= MASSES else None,
    (types.Length, "quantity"): lambda text: text if units_of(text) <= LENGTHS else None,
    (types.Integers, "list"): lambda values: values if all(isinstance(one, int) for one in values) else None,
}
"""What else a mention of a kind gives for a type."""
