"""Readers of chemical formulas, equations and elements."""

from __future__ import annotations

import re
from functools import cache

from tools.errors import ToolError
from tools.reading.stream import Stream
from tools.reading.words import filler
from tools.subjects.chemistry import atoms

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
    "sucrose": "C12H22O11",
    "caffeine": "C8H10N4O2", "acetic acid": "C2H4O2", "benzene": "C6H6", "ozone": "O3",
}  # fmt: skip
_SPELLINGS = {
    "aluminum": "Al",
    "aluminium": "Al",
    "sulfur": "S",
    "sulphur": "S",
    "cesium": "Cs",
    "caesium": "Cs",
}


def read_formulas_of_compounds(stream: Stream) -> None:
    """Take chemical formulas, and the common names of some compounds."""
    for name, formula in _COMMON.items():
        words = tuple(name.split())
        for index in range(len(stream)):
            if stream.words_at(index, words):
                stream.take("chemical", formula, index, index + len(words))
    for match in _WORD.finditer(stream.text):
        span = stream.span(*match.span())
        if span is None or any(stream.taken[slice(*span)]) or match.group().lower() in filler():
            continue
        if _is_formula(match.group()):
            stream.take("chemical", match.group().replace(".", "·"), *span)


def read_reactions(stream: Stream) -> None:
    """Take chemical equations; the coefficients that they have already are left out."""
    for match in _REACTION.finditer(stream.text):
        span = stream.span(*match.span())
        sides = [_terms(side) for side in (match.group(1), match.group(2))]
        if span is not None and all(sides):
            stream.take("reaction", " -> ".join(" + ".join(side) for side in sides), *span)


def read_elements(stream: Stream) -> None:
    """Take elements by name or symbol; a symbol that is a common word too is not taken."""
    for index, token in enumerate(stream.tokens):
        if token.kind != "name" or stream.taken[index]:
            continue
        symbol = _element_names().get(token.text.lower())
        if symbol is None and token.text in _element_names().values() and token.text.lower() not in filler():
            symbol = token.text
        if symbol is not None:
            stream.take("element", symbol, index, index + 1)


def _is_formula(word: str) -> bool:
    if not word[0].isupper() and word[0] != "(":
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
