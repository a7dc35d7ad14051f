"""Read quantities and units.

Ours, because Pint reads almost any word as some unit ("at" is a technical atmosphere): only the spellings in
`units.txt` are units here, and a case that makes mega of milli is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path

from tools.reading.literals import find_numbers
from tools.reading.query import TokenizedQuery, UnreadError
from tools.reading.vocabulary import edits

_LONGEST_UNIT = 4
_ABBREVIATION = 3
_SHORTEST_SLIP, _LONG = 5, 8
_DOUBLED = re.compile(r"(.)\1")
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_PARTS = {"half": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5, "tenth": 10}
_TEMPERATURES = {"c": "degree_Celsius", "f": "degree_Fahrenheit"}
_COMPOSED = tuple(
    tuple(chain.split())
    for chain in (
        "century decade year month", "week day hour minute second millisecond", "mile yard foot inch",
        "kilometre metre centimetre millimetre", "metric_ton kilogram gram milligram", "stone pound ounce",
        "litre decilitre centilitre millilitre", "gallon quart pint cup fluid_ounce tablespoon teaspoon",
    )
)  # fmt: skip
"""Units that people add up, larger ones first: 5 ft 10 in."""
MASSES = frozenset({"kilogram", "gram", "pound", "stone", "ounce"})
LENGTHS = frozenset({"metre", "centimetre", "millimetre", "kilometre", "foot", "inch", "yard", "mile"})


@dataclass(frozen=True, slots=True)
class _Spellings:
    """Hold what people write for units: in this case, in any, and what is not clear with what to write."""

    exact: dict[str, str]
    folded: dict[str, str]
    unclear: dict[str, str]


def read_quantities(query: TokenizedQuery) -> None:
    """Take numbers with the unit after them; "a day" is 1 day, and "5 ft 10 in" is one quantity."""
    amounts = _find_amounts(query)
    index = 0
    while index < len(query.tokens):
        found = _quantity_at(query, index, amounts)
        if found is None:
            index += 1
            continue
        text, end = found
        parts = [text]
        while (further := _further_at(query, end, parts[-1], amounts)) is not None:
            parts.append(further[0])
            end = further[1]
        query.take("quantity", " + ".join(parts), index, end)
        index = end


def read_units(query: TokenizedQuery) -> None:
    """Take the units that have no number."""
    last = max((index for index, token in enumerate(query.tokens) if token.kind == "name"), default=-1)
    for index in range(len(query.tokens)):
        if query.taken[index]:
            continue
        unit = _unit_at(query, index)
        if unit is not None:
            query.take("unit", unit[0], index, unit[1])
        elif query.words[index] == "in" and query.words[index - 1] in ("to", "into") and index == last:
            query.take("unit", "inch", index, index + 1)


def unit_names() -> frozenset[str]:
    """Return all names that this module gives to Pint."""
    return frozenset((*_spellings().exact.values(), *_spellings().folded.values()))


def units_of(quantity: str) -> frozenset[str]:
    """Return the units of a quantity, of each of its parts if it has several."""
    return frozenset(part.split(" ", 1)[1] for part in quantity.split(" + "))


@cache
def _spellings() -> _Spellings:
    lines = Path(__file__).with_name("units.txt").read_text(encoding="utf-8").splitlines()
    known = _Spellings({}, {}, {})
    for name, spellings in (line.split(": ") for line in lines if not line.startswith("#")):
        for spelling in spellings.split(", "):
            bare = spelling.lstrip("=~")
            is_short = len(bare) <= _ABBREVIATION and " " not in bare
            in_case = spelling[0] == "=" or (is_short and spelling[0] != "~")
            if name[0] == "!":
                known.unclear[bare] = name[1:]
            elif in_case:
                known.exact[bare] = name
                if is_short:
                    known.unclear.setdefault(bare.lower(), f"{bare} if you mean that")
            else:
                known.folded[bare.lower()] = name
    return known


def _quantity_at(
    query: TokenizedQuery, index: int, amounts: dict[int, tuple[str, int]]
) -> tuple[str, int] | None:
    """Find the number and unit that begin here: Pint's text, and the index after it."""
    amount = ("1", index + 1) if query.words[index] in ("a", "an") else amounts.get(index)
    if amount is None or query.taken[index]:
        return None
    value, after = amount
    if query.words[after] == "'" and query.adjacent(after) and (inches := amounts.get(after + 1)):
        end = inches[1] + (query.words[inches[1]] == '"')
        return f"{value} foot + {inches[0]} inch", end
    unit = _unit_at(query, after, counted=True) or _inch_at(query, after)
    return None if unit is None else (f"{value} {unit[0]}", unit[1])


def _further_at(
    query: TokenizedQuery, end: int, before: str, amounts: dict[int, tuple[str, int]]
) -> tuple[str, int] | None:
    """Find the smaller part of a quantity that goes on: the 10 in of 5 ft 10 in."""
    index = end + (query.words[end] in ("and", ","))
    if index >= len(query.tokens):
        return None
    found = _quantity_at(query, index, amounts)
    amount = amounts.get(index)
    if found is None and amount and before.endswith(" foot") and query.words[amount[1]] in ("in", "to"):
        is_unit = _unit_at(query, amount[1] + 1) is not None  # "6 ft 3 in cm": its "in" is the preposition
        if is_unit or query.words[amount[1]] == "in":
            found = f"{amount[0]} inch", amount[1] + (not is_unit)
    if found is None:
        return None
    larger, smaller = before.partition(" ")[2], found[0].partition(" ")[2]
    fits = any(larger in chain and smaller in chain[chain.index(larger) + 1 :] for chain in _COMPOSED)
    return found if fits else None


def _find_amounts(query: TokenizedQuery) -> dict[int, tuple[str, int]]:
    """Find numbers with their fractions, as decimals: `1 1/2`, `2 and a half`, `half a`, `quarter of a`."""
    found: dict[int, tuple[str, int]] = {}
    for index, (value, after) in find_numbers(query).items():
        part = _part_at(query, index)
        whole = _fraction_at(query, after) or _and_a_part(query, after)
        if part is not None:
            found[index] = part
        elif whole is not None and isinstance(value, int) and not query.adjacent(after):
            found[index] = _decimal(value + whole[0] if value >= 0 else value - whole[0]), whole[1]
        else:
            found[index] = str(value), after
    for index, word in enumerate(query.words[: len(query.tokens)]):
        share = _part_at(query, index + (word == "a")) if word == "a" or word in _PARTS else None
        if share is not None:
            found[index] = share
    return found


def _fraction_at(query: TokenizedQuery, index: int) -> tuple[Fraction, int] | None:
    """Read `1/2`, written without spaces."""
    if query.words[index + 1] != "/" or not (query.adjacent(index + 1) and query.adjacent(index + 2)):
        return None
    above, below = query.words[index], query.words[index + 2]
    if not (above.isdigit() and below.isdigit() and int(below)):
        return None
    return Fraction(int(above), int(below)), index + 3


def _and_a_part(query: TokenizedQuery, index: int) -> tuple[Fraction, int] | None:
    """Read `and a half`, `and 3 quarters`, `and 3/4`."""
    if query.words[index] == "and" and (written := _fraction_at(query, index + 1)):
        return written
    if query.words[index] != "and" or query.words[index + 2] not in _PARTS:
        return None
    above = 1 if query.words[index + 1] in ("a", "one") else query.words[index + 1]
    return (Fraction(int(above), _PARTS[query.words[index + 2]]), index + 3) if str(above).isdigit() else None


def _part_at(query: TokenizedQuery, index: int) -> tuple[str, int] | None:
    """Read a share of a unit: `1/2`, `half a`, `quarter of a`, `3 quarters of an`."""
    written = _fraction_at(query, index)
    if written is not None:
        return _decimal(written[0]), written[1]
    above, position = 1, index
    if query.words[index].isdigit():
        above, position = int(query.words[index]), index + 1
    if query.words[position] not in _PARTS:
        return None
    end = position + 1
    if query.words[end] == "of" and query.words[end + 1] in ("a", "an"):
        end += 2
    elif query.words[end] in ("a", "an"):
        end += 1
    return _decimal(Fraction(above, _PARTS[query.words[position]])), end


def _decimal(value: Fraction) -> str:
    return str(int(value)) if value.denominator == 1 else str(float(value))


def _unit_at(query: TokenizedQuery, index: int, *, counted: bool = False) -> tuple[str, int] | None:
    """Find the unit that begins here, such as `metre / second`, and the index after it."""
    first = _power_at(query, index, counted)
    if first is None:
        return None
    text, end = first
    while query.words[end] in ("/", "per", "*"):
        sign = "*" if query.words[end] == "*" else "/"
        opening = query.words[end + 1] == "("
        following = _power_at(query, end + 1 + opening, counted=True)
        if following is None:
            break
        unit, after = following
        while opening and query.words[after] == "*" and (factor := _power_at(query, after + 1, counted=True)):
            unit, after = f"{unit} * {factor[0]}", factor[1]
        if opening and query.words[after] != ")":
            break
        text += f" {sign} ({unit})" if "*" in unit and opening else f" {sign} {unit}"
        end = after + opening
    return text, end


def _power_at(query: TokenizedQuery, index: int, counted: bool) -> tuple[str, int] | None:
    """Find a unit with its power: `square feet`, `m^2`, `m2`."""
    prefix = _POWERS.get(query.words[index])
    single = _single_at(query, index + 1 if prefix else index, counted)
    if single is None:
        return None
    name, end = single
    if prefix:
        return f"{name} ** {prefix}", end
    if query.words[end] == "^" and query.words[end + 1] in ("2", "3"):
        return f"{name} ** {query.words[end + 1]}", end + 2
    if query.words[end : end + 3] in (["^", "-", "1"], ["^", "-", "2"]):
        return f"{name} ** -{query.words[end + 2]}", end + 3
    if query.words[end] in ("2", "3") and query.adjacent(end) and query.tokens[end].text in ("2", "3"):
        return f"{name} ** {query.words[end]}", end + 1
    return name, end


def _single_at(query: TokenizedQuery, index: int, counted: bool) -> tuple[str, int] | None:
    """Find one unit by its name or abbreviation.

    Raises:
        UnreadError: if it can be several units, or its case is that of none.
    """
    known = _spellings()
    for length in range(_LONGEST_UNIT, 1, -1):
        phrase = known.folded.get(" ".join(query.words[index : index + length]))
        if phrase is not None and not any(query.taken[index : index + length]):
            return phrase, index + length
    if index >= len(query.tokens) or query.taken[index] or query.tokens[index].kind not in ("name", "other"):
        return None
    word = query.tokens[index].text
    lower = word.lower()
    name = known.exact.get(word) or known.folded.get(lower) or _meant(lower)
    if name == "kilocalorie" and index == 0 and lower.startswith("cal"):
        raise UnreadError(f"{word!r} at the beginning can be cal or kilocalories: write kcal or cal.")
    if name is None and lower in _TEMPERATURES and _is_of_temperatures(query):
        name = _TEMPERATURES[lower]
    hint = known.unclear.get(word) or (known.unclear.get(lower) if len(word) > 1 or counted else None)
    if (
        name is None
        and hint is not None
        and (counted or query.words[index - 1] in ("to", "in", "into", "many"))
    ):
        raise UnreadError(f"{word!r} can be several units: write {hint}.")
    return None if name is None else (name, index + 1)


@lru_cache(maxsize=1 << 12)
def _meant(word: str) -> str | None:
    """Return the unit that a word is with a wrong plural ("inchs") or one slip; None if it can be several.

    A slip is forgiven in long words only: "points" are no pints, and prefixes differ in more than a letter.
    """
    if len(word) < _SHORTEST_SLIP or not word.isalpha():
        return None
    single = _singled(word)
    units = {
        unit
        for one, unit in _spellings().folded.items()
        if one[0] == word[0] and len(one) > _ABBREVIATION and " " not in one
        if word in (f"{one}s", f"{one}es") or _is_slip(single, _singled(one))
    }
    return units.pop() if len(units) == 1 else None


def _singled(word: str) -> str:
    return _DOUBLED.sub(r"\1", word)


def _is_slip(word: str, known: str) -> bool:
    """Return whether two words without double letters are the same, or long and one edit apart."""
    close = len(word) >= _LONG and abs(len(known) - len(word)) < 2 and edits(word, known) < 2
    return close or word == known


def _is_of_temperatures(query: TokenizedQuery) -> bool:
    """Return whether c and f are degrees: both are there, or one with the other's name."""
    words = query.vocabulary
    return {"c", "f"} <= words or bool(words & {"celsius", "fahrenheit", "temperature"})


def _inch_at(query: TokenizedQuery, index: int) -> tuple[str, int] | None:
    """Take the `in` of `5 in to cm` for the inch: a preposition follows it."""
    before_preposition = query.words[index] == "in" and query.words[index + 1] in ("to", "in", "into")
    return ("inch", index + 1) if before_preposition else None
