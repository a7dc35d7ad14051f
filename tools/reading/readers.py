"""Which readers look at a question, by the types that a function wants, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from tools import types
from tools.declaration import ToolFunction
from tools.reading import amounts, formulas, numbers, places, quantities, substances, texts, times
from tools.reading.matrices import read_matrices
from tools.reading.number_words import respell_numbers
from tools.reading.spoken import respell_formulas
from tools.reading.stream import Stream
from tools.reading.words import vocabulary

_FORMULAS = (types.Expression, types.Polynomial, types.Equations, types.Calculation)
_LISTS = (types.Numbers, types.Integers)
_NUMBERS = (*_LISTS, types.Number, types.Integer, types.Money)
_READERS: tuple[tuple[tuple[Any, ...], Callable[[Stream], None]], ...] = (
    ((types.Matrix,), read_matrices),
    ((types.Reaction,), substances.read_reactions),
    ((types.Quantity,), quantities.read_quantities),
    ((types.Formula,), substances.read_formulas_of_compounds),
    ((types.Element,), substances.read_elements),
    ((types.Constant,), texts.read_constants),
    ((types.Date,), lambda stream: times.read_dates(stream, date.today())),
    ((types.ClockTime,), times.read_clock_times),
    ((types.Country,), places.read_countries),
    ((types.Percent,), amounts.read_percentages),
    ((types.Years,), amounts.read_years),
    ((types.Days, types.Months), amounts.read_durations),
    ((types.Frequency,), amounts.read_frequencies),
    ((types.Money,), amounts.read_money),
    ((types.Unit,), quantities.read_units),
    ((types.Digits,), texts.read_numerals),
    ((types.RomanNumeral,), texts.read_roman_numerals),
    ((types.Variable,), formulas.read_differentials),
    (_FORMULAS, formulas.read_formulas),
    ((types.Equations,), formulas.join_equations),
    (_NUMBERS, numbers.read_numbers),
    (_LISTS, numbers.join_lists),
)


def respell(stream: Stream, function: ToolFunction) -> None:
    """Put numbers and operators in the place of words, if the function wants numbers or formulas."""
    wanted = [parameter.type for parameter in function.parameters]
    if types.Text not in wanted and types.Digits not in wanted:
        respell_numbers(stream)
    if any(one in wanted for one in (*_FORMULAS, types.Quantity)):
        respell_formulas(stream)


def read_mentions(stream: Stream, function: ToolFunction) -> None:
    """Take the mentions of every type that the function has parameters of, and dates in figures always.

    Raises:
        UnreadError: if a mention can be read in two ways.
    """
    wanted = [parameter.type for parameter in function.parameters]
    if types.Text in wanted:
        texts.read_quoted_texts(stream)
    times.read_date_shapes(stream)
    if types.Order in wanted:
        formulas.read_orders(stream, vocabulary(function))
    if types.City in wanted:
        places.read_cities(stream, vocabulary(function))
    if types.Zone in wanted:
        times.read_zones(stream, vocabulary(function))
    for kinds, reader in _READERS:
        if any(kind in wanted for kind in kinds):
            reader(stream)
    stream.mentions.sort(key=lambda mention: mention.first)
