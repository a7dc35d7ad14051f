"""Read chemical formulas, equations and elements, and physical constants.

Ours, because parsers of formulas take any capital letters for one: here every symbol must be an element and
a formula that is a common word too is left alone.
"""

from __future__ import annotations

import re
from functools import cache

from tools.declaration import ToolError
from tools.reading.query import TokenizedQuery
from tools.reading.vocabulary import filler
from tools.subjects.chemistry import atoms
from tools.subjects.constants import ALIASES, CONSTANTS
from tools.subjects.gazetteer import fold

_LONGEST_CONSTANT = 6
_WORD = re.compile(r"[A-Za-z0-9()·.]*[A-Za-z0-9)]")
_TERM = r"(?:[0-9]+\s*)?(?:[A-Z][a-z]?|[0-9()])+"
_SIDE = rf"{_TERM}(?:\s*\+\s*{_TERM})*"
_ARROW = r"\s*(?:-+>|=+>?|→|⟶|⇌|yields|gives|produces)\s*"
_REACTION = re.compile(rf"(?<![A-Za-z0-9])({_SIDE}){_ARROW}({_SIDE})(?![A-Za-z0-9+^])")
_COMMON = {
    "water": "H2O", "ammonia": "NH3", "methane": "CH4", "ethanol": "C2H6O", "glucose": "C6H12O6",
    "carbon dioxide": "CO2", "carbon monoxide": "CO", "sodium chloride": "NaCl", "table salt": "NaCl",
    "sulfuric acid": "H2SO4", "sulphuric acid": "H2SO4", "hydrochloric acid": "HCl", "nitric acid": "HNO3",
    "sodium hydroxide": "NaOH", "calcium carbonate": "CaCO3", "hydrogen peroxide": "H2O2",
    "sucrose": "C12H22O11", "caffeine": "C8H10N4O2", "acetic acid": "C2H4O2", "benzene": "C6H6",
    "ozone": "O3",
}  # fmt: skip
_SPELLINGS = {
    "aluminum": "Al",
    "aluminium": "Al",
    "sulfur": "S",
    "sulphur": "S",
    "cesium": "Cs",
    "caesium": "Cs",
}


def read_compounds(query: TokenizedQuery) -> None:
    """Take chemical formulas, and the common names of some compounds."""
    for index in range(len(query.tokens)):
        for end in (index + 2, index + 1):
            formula = _COMMON.get(" ".join(query.words[index:end]))
            if formula is not None and not any(query.taken[index:end]):
                query.take("chemical", formula, index, end)
    for match, first, end in query.matches(_WORD):
        word = match.group()
        if not any(query.taken[first:end]) and word.lower() not in filler() and _is_formula(word):
            query.take("chemical", word.replace(".", "·"), first, end)


def read_reactions(query: TokenizedQuery) -> None:
    """Take chemical equations; the coefficients that they have already are left out."""
    for match, first, end in query.matches(_REACTION):
        sides = [_terms(side) for side in match.groups()]
        if all(sides):
            query.take("reaction", " -> ".join(" + ".join(side) for side in sides), first, end)


def read_elements(query: TokenizedQuery) -> None:
    """Take elements by name or symbol; a symbol that is a common word too is not taken."""
    for index, token in enumerate(query.tokens):
        if token.kind != "name" or query.taken[index]:
            continue
        symbol = _element_names().get(token.text.lower())
        if symbol is None and token.text in _element_names().values() and token.text.lower() not in filler():
            symbol = token.text
        if symbol is not None:
            query.take("element", symbol, index, index + 1)


def read_constants(query: TokenizedQuery) -> None:
    """Take the names of physical constants, the longest first."""

    def find(index: int) -> tuple[str, int] | None:
        for end in range(min(index + _LONGEST_CONSTANT, len(query.tokens)), index, -1):
            name = fold(query.source(index, end)).removeprefix("the ")
            name = ALIASES.get(name, name)
            if name in CONSTANTS and query.words[index] != "the":
                return name, end
        return None

    query.take_all("constant", find)


def _is_formula(word: str) -> bool:
    if not (word[:1].isupper() or word[:1] == "("):
        return False
    try:
        return bool(atoms(word.replace(".", "·")))
    except ToolError:
        return False


def _terms(side: str) -> list[str]:
    terms = [re.sub(r"^[0-9]+\s*", "", term.strip()) for term in side.split("+")]
    return terms if all(_is_formula(term) for term in terms) else []


@cache
def _element_names() -> dict[str, str]:
    from molmass import ELEMENTS

    return {element.name.lower(): element.symbol for element in ELEMENTS} | _SPELLINGS
