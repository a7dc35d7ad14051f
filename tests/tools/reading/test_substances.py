"""Formulas of compounds, chemical equations and elements."""

from __future__ import annotations

import pytest

from tests.tools.reading.mentions import mentions
from tools.reading.substances import read_compounds, read_elements, read_reactions


@pytest.mark.parametrize(
    ("text", "formula"),
    [("Ca(OH)2", "Ca(OH)2"), ("CuSO4.5H2O", "CuSO4·5H2O"), ("table salt", "NaCl"), ("Carbon dioxide", "CO2")],
)
def test_compounds(text: str, formula: str) -> None:
    assert mentions(f"molar mass of {text}", read_compounds) == [("chemical", formula)]


@pytest.mark.parametrize("text", ["I am here", "Xx2", "h2o"])
def test_words_are_no_compounds(text: str) -> None:
    assert mentions(text, read_compounds) == []


@pytest.mark.parametrize("arrow", ["->", "=", "→", "yields"])
def test_reactions_without_their_coefficients(arrow: str) -> None:
    found = mentions(f"balance 2 H2 + O2 {arrow} 2 H2O", read_reactions)
    assert found == [("reaction", "H2 + O2 -> H2O")]


@pytest.mark.parametrize("text", ["H2 + 3 -> H2O", "Fe + O2 -> 5"])
def test_a_bare_number_is_no_formula(text: str) -> None:
    assert mentions(text, read_reactions) == []


@pytest.mark.parametrize(
    ("text", "symbol"), [("iron", "Fe"), ("Fe", "Fe"), ("aluminum", "Al"), ("Sulphur", "S")]
)
def test_elements(text: str, symbol: str) -> None:
    assert mentions(text, read_elements) == [("element", symbol)]


def test_a_symbol_that_is_a_common_word_is_no_element() -> None:
    assert mentions("As I was told", read_elements) == []
