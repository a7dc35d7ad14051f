"""Read the arguments of one function from a question."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache, partial
from typing import Any

from tools import types
from tools.declaration import ToolError, ToolFunction
from tools.expressions import parse, symbols
from tools.lexer import cut
from tools.reading import formulas, literals, money, places, quantities, substances, times
from tools.reading.assignment import assign
from tools.reading.languages import in_english
from tools.reading.query import Mention, NotAskedError, TokenizedQuery, UnreadError
from tools.reading.shares import respell_divisors, respell_mixed_numbers, respell_shares
from tools.reading.spoken import respell_formulas, respell_numbers
from tools.reading.vocabulary import (
    asks_for,
    counts,
    filler,
    first_words,
    first_words_in,
    is_slip,
    strange_words,
    vocabulary,
)
from tools.registry import SUBJECTS, functions

# Words of no function and no filler, which readers of names and units have to take. Of 727 questions that are
# read one has 12; most long texts have more, and are declined at once.
_MOST_STRANGE = 12
_PUNCTUATION = frozenset(".,?!:;\"'()…“”‘’`")
_COUNTING = (("how", "many"), ("number", "of"))
_MEASURING = frozenset("much many long far tall fast high deep wide big large heavy old hot cold".split())
_BEFORE_UNKNOWN = frozenset("than of off by from plus minus times".split())
_ASKING = frozenset(("what", "which", "much", "whats", ""))
_EXPLAINING = frozenset("why explain prove proof teach understand reason how".split())
_CALCULATIONS = (types.Calculation, types.MoneyCalculation)
_FORMULAS = (*_CALCULATIONS, types.Expression, types.Polynomial, types.Equations, types.Point)
_QUANTITIES = (types.Quantity, types.Mass, types.Length)
_LISTS = (types.Numbers, types.Integers)
_READERS: tuple[tuple[tuple[Any, ...], Callable[[TokenizedQuery], None]], ...] = (
    ((types.Matrix,), literals.read_matrices),
    ((types.Reaction,), substances.read_reactions),
    (_QUANTITIES, quantities.read_quantities),
    ((types.Formula,), substances.read_compounds),
    ((types.Element,), substances.read_elements),
    ((types.Constant,), substances.read_constants),
    ((types.Date, types.NextDate, types.LastDate), times.read_dates),
    ((types.NextDate, types.LastDate), times.read_annual_days),
    ((types.Now,), times.read_now),
    ((types.ClockTime,), times.read_clock_times),
    ((types.Country,), places.read_countries),
    ((types.Percent,), money.read_percentages),
    ((types.State,), places.read_states),
    ((types.Years,), times.read_years),
    ((types.Days, types.Months), times.read_durations),
    ((types.Period,), times.read_periods),
    ((types.Frequency,), times.read_frequencies),
    ((types.Money, types.Amount), money.read_money),
    ((types.Unit,), quantities.read_units),
    ((types.Digits,), literals.read_numerals),
    ((types.RomanNumeral,), literals.read_roman_numerals),
    ((types.Variable,), formulas.read_differentials),
    (_FORMULAS, formulas.read_formulas),
    ((types.Relation,), formulas.read_relations),
    ((types.Equations,), formulas.join_equations),
    ((types.Numbers,), literals.read_fractions),
    ((*_LISTS, types.Number, types.Integer, types.Money, types.Amount), literals.read_numbers),
    ((types.Numbers,), literals.join_lists),
    ((types.Integers,), partial(literals.join_lists, whole=True)),
)
"""The readers and the types that they are for, in the order in which they look at a question."""


# What a function needs and is looked for before places, which open all cities.
_FIRST: tuple[tuple[Any, str, Callable[[TokenizedQuery], None]], ...] = (
    (types.ClockTime, "clock", times.read_clock_times),
    (types.Country, "country", places.read_countries),
)


def read_arguments(text: str, function: ToolFunction, now: datetime | None = None) -> dict[str, Any]:
    """Read the arguments that a question gives for a function: JSON values by parameter name.

    Args:
        text: the question.
        function: the function.
        now: the present moment, with its zone; that of this machine's clock if left out.

    Raises:
        UnreadError: if the question does not ask for this function, does not give every required argument
            unambiguously, or says something more.
    """
    try:
        query = _spelled_for(in_english(text), function)
        query.now = now or datetime.now().astimezone()
        _read_mentions(query, function)
        assigned = assign(query, function)
        _check_bindings(assigned)
        _check_rest(query, function)
    except ToolError as error:  # of the grammar
        raise UnreadError(str(error)) from error
    return {name: argument for name, (_, argument) in assigned.items()}


def _spelled_for(text: str, function: ToolFunction) -> TokenizedQuery:
    """Return the question with numbers and operators in the place of words, as the function wants them.

    Raises:
        NotAskedError: if neither the question nor what it is with them asks for this function.
    """
    respelled = _respelled(text, _respellings(function))
    asked = asks_for(_tokens(text), function)
    if isinstance(respelled, str):
        raise UnreadError(respelled)
    if not asked and not asks_for(respelled, function):
        raise NotAskedError(f"The question does not ask for {function.name}.")
    return respelled.copy()


def may_ask(text: str, function: ToolFunction) -> bool:
    """Return whether a question may ask for a function: a fast look before its arguments are read."""
    begun = _begun(text)
    return begun is not None and (not first_words(function) or not first_words(function).isdisjoint(begun))


@lru_cache(maxsize=256)
def _begun(text: str) -> frozenset[str] | None:
    """Return the first words of phrases in a question, however it is respelled; None if no tool reads it."""
    text = in_english(text)
    try:
        query = _tokens(text)
    except (ToolError, UnreadError):
        return None
    if len(strange_words(query.vocabulary)) > _MOST_STRANGE:
        return None
    spelled = [query, *(_respelled(text, steps) for steps in _all_respellings())]
    return frozenset().union(*(first_words_in(one.vocabulary) for one in spelled if not isinstance(one, str)))


@cache
def _all_respellings() -> frozenset[tuple[Callable[[TokenizedQuery], None], ...]]:
    return frozenset(_respellings(function) for function in functions(*SUBJECTS))


@lru_cache(maxsize=256)
def _tokens(text: str) -> TokenizedQuery:
    return TokenizedQuery(text)


@cache
def _respellings(function: ToolFunction) -> tuple[Callable[[TokenizedQuery], None], ...]:
    """Return what puts numbers, operators and calculations in the place of words for a function."""
    wanted = {parameter.type for parameter in function.parameters}
    steps = (
        (True, literals.respell_figures),
        (not wanted.intersection((types.Text, types.Digits)), respell_numbers),
        (types.MoneyCalculation in wanted, money.respell_prices),
        (wanted.intersection(_CALCULATIONS), respell_shares),
        (wanted.intersection(_FORMULAS), respell_mixed_numbers),
        (wanted.intersection(_FORMULAS), respell_divisors),
        (wanted.intersection((*_FORMULAS, *_QUANTITIES)), respell_formulas),
    )
    return tuple(step for needed, step in steps if needed)


@lru_cache(maxsize=512)
def _respelled(text: str, steps: tuple[Callable[[TokenizedQuery], None], ...]) -> TokenizedQuery | str:
    """Respell a question once for all functions that want the same; return why it cannot be, if so."""
    query = _tokens(text).copy()
    try:
        for step in steps:
            step(query)
    except UnreadError as error:
        return str(error)
    return query


def _may_hold(query: TokenizedQuery, kind: str, read: Callable[[TokenizedQuery], None]) -> bool:
    """Return whether a reader finds a mention of a kind in a question of which nothing but dates is taken."""
    apart = query.copy()
    try:
        read(apart)
    except UnreadError:
        return True
    return any(mention.kind == kind for mention in apart.mentions)


def _read_mentions(query: TokenizedQuery, function: ToolFunction) -> None:
    """Take the mentions of every type that the function has parameters of, and dates in figures always."""
    wanted = [parameter.type for parameter in function.parameters]
    own_words = vocabulary(function)
    if types.Text in wanted:
        literals.read_quoted_texts(query)
    times.read_date_shapes(query)
    needed = {parameter.type for parameter in function.parameters if parameter.required}
    for kind, name, read in _FIRST:
        if kind in needed and not _may_hold(query, name, read):
            raise UnreadError(f"No {name} is given.")
    if types.Order in wanted:
        formulas.read_orders(query, own_words)
    if types.City in wanted:
        places.read_cities(query, own_words)
    if types.Zone in wanted or types.SourceZone in wanted:  # before clock times: UTC+5:30
        places.read_zones(query, own_words)
    for kinds, read in _READERS:
        if any(kind in wanted for kind in kinds):
            read(query)
    query.mentions.sort(key=lambda mention: mention.first)


def _check_bindings(assigned: dict[str, tuple[Mention, Any]]) -> None:
    """Check that a value "at y = 2" is of the variable of the formula; it also names the variable."""
    values = [mention.value for mention, _ in assigned.values()]
    bound = {value.variable for value in values if isinstance(value, formulas.Binding)}
    if not bound or "expression" not in assigned:
        return
    variable = assigned["variable"][1] if "variable" in assigned else None
    free = symbols(parse(assigned["expression"][1]))
    if len(bound) > 1 or not bound <= free or (variable is not None and bound != {variable}):
        raise UnreadError(f"The variable {', '.join(sorted(bound))} is not the one of the formula.")
    if len(free) > 1 and variable is None:
        raise UnreadError(f"Say in which variable: {', '.join(sorted(free))}.")


def _check_rest(query: TokenizedQuery, function: ToolFunction) -> None:
    """Check that everything beside the mentions is a word of the function, filler or punctuation."""
    for count in _COUNTING:
        stands = any(query.words_at(index, count) for index in range(len(query.tokens)))
        if stands and not counts(function, count):
            raise UnreadError(f"The question asks for a count: {' '.join(count)!r}.")
    known = vocabulary(function).difference(("how",))
    rest = [index for index, taken in enumerate(query.taken) if not taken]
    signs = [query.words[index] for index in rest]
    if signs.count("(") != signs.count(")"):
        raise UnreadError("The parentheses do not match.")
    _refuse(query, function)
    for index in rest:
        is_known = _is_word(query, index, known) or _measures(query, index, function)
        if _is_punctuation(query, index) or is_known:
            continue
        source = query.source(index, index + 1)
        if query.words[index] in _EXPLAINING:
            raise UnreadError(f"{source!r} asks for an explanation, and a tool gives a value.")
        raise UnreadError(f"{source!r} was not understood.")


def _refuse(query: TokenizedQuery, function: ToolFunction) -> None:
    """Refuse phrases that change the question for this function, and one for a number before the result.

    Raises:
        UnreadError: if such a phrase stands in it.
    """
    for index in range(len(query.tokens)):
        if query.words[index] == "what" and query.words[index - 1] in _BEFORE_UNKNOWN:
            raise UnreadError("The question asks for a number that goes into the calculation.")
        for phrase in cut(function.refuses):
            bare = phrase[phrase[0] == "^" :]
            fits = all(_is_part(query, index + place, part) for place, part in enumerate(bare))
            opens = bare == phrase or index == 0
            names = phrase[0] == "is" and query.words[index - 1] in _ASKING
            if fits and opens and not names:
                source = query.source(index, index + len(bare))
                raise UnreadError(f"{source!r} was not understood: it asks something else here.")


def _is_part(query: TokenizedQuery, index: int, part: str) -> bool:
    """Return whether a word stands here; `#` is a number that is no percentage, or the sign of a currency."""
    if part != "#":
        return query.words[index] == part
    is_number = index < len(query.tokens) and query.tokens[index].kind == "number"
    return query.words[index] in money.SIGNS or (
        is_number and query.words[index + 1] not in ("%", "percent", "pct", "per")
    )


def _measures(query: TokenizedQuery, index: int, function: ToolFunction) -> bool:
    """Return whether a "how" asks for a value: "how much", or as the function declares it."""
    if query.words[index] != "how":
        return False
    declared = (words for words in (*cut(function.asks), *cut(function.words)) if words[0] == "how")
    return query.words[index + 1] in _MEASURING or any(query.words_at(index, words) for words in declared)


def _is_word(query: TokenizedQuery, index: int, known: frozenset[str]) -> bool:
    word = query.words[index]
    is_name = query.tokens[index].kind == "name"
    return word in known or (is_name and (word in filler() or is_slip(word, known)))


def _is_punctuation(query: TokenizedQuery, index: int) -> bool:
    if query.words[index] == "-":  # a dash between words
        return not query.adjacent(index) and not query.adjacent(index + 1)
    if query.words[index] == "=":  # "2 + 2 = ?"
        return index == 0 or all(word in _PUNCTUATION for word in query.words[index + 1 : len(query.tokens)])
    return query.words[index] in _PUNCTUATION
