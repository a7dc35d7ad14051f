"""What a question is asked of: figures, units and names by their kinds."""

from __future__ import annotations

import pytest

from agents.octopus.conversation.slots import (
    figures,
    is_unit,
    kind_of,
    phrases_of,
    places_in,
    quantities,
    units,
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("12", "number"),
        ("1,234.5", "number"),
        ("30%", "percent"),
        ("7.5 percent", "percent"),
        ("$84.50", "money"),
        ("3, 5 and 9", "list"),
        ("2024-01-15", "date"),
        ("July 20, 1969", "date"),
        ("x^2 + 3x", "formula"),
        ("sin(x) * e^x", "formula"),
        ("2x + 3 = 11", "equation"),
        ("x = 3", "binding"),
        ("x", "variable"),
        ("12 * (3 + 4)", "calculation"),
        ("[[1, 2], [3, 4]]", "matrix"),
        ("H2 + O2 -> H2O", "reaction"),
        ("Ca(OH)2", "name"),
        ("10 miles", "quantity"),
        ("square feet", "unit"),
        ("Roman numerals", "base"),
        ("quarterly", "frequency"),
        ('"hello world"', "quoted"),
        ("the United States", "name"),
        ("peru", "name"),
        ("what", None),
        ("of Peru", None),
        ("12 apples and pears", None),
        ("", None),
    ],
)
def test_a_text_is_of_one_kind(text: str, kind: str | None) -> None:
    assert kind_of(text) == kind


def test_figures_stand_where_they_were_found() -> None:
    question = "What is 20% of 50 (or of x^2 at x = 3)?"
    assert [question[slot.start : slot.end] for slot in figures(question)] == ["20%", "50", "x^2", "x = 3"]


def test_units_are_those_of_tools() -> None:
    question = "How many feet are in 2 meters?"
    assert [slot.text for slot in units(question)] == ["feet"]
    assert [slot.text for slot in quantities(question)] == ["2 meters"]
    assert is_unit("km/h") and not is_unit("pancakes")


def test_a_name_with_a_preposition_is_one_object() -> None:
    phrases = phrases_of("capital of the United States of America in 2024?")
    assert [(one.word, one.text) for one in phrases] == [
        ("of", "the United States of America"),
        ("in", "2024"),
    ]


def test_places_and_elements_are_known_in_small_letters() -> None:
    assert [slot.text for slot in places_in("how many protons does carbon have")] == ["carbon"]
    assert [slot.text for slot in places_in("how big is canada")] == ["canada"]
    assert places_in("how big is it") == ()
