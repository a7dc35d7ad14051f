"""Formulas, equations, bindings, differentials and orders; and trees written as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.reading.mentions import mentions
from tools.expressions import parse
from tools.reading.formulas import (
    join_equations,
    read_differentials,
    read_formulas,
    read_orders,
    render,
)
from tools.reading.query import TokenizedQuery, UnreadError


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("derivative of x^3 when x is 2", ["formula", "binding"]),
        ("2x + 3 = 11", ["equation"]),
        ("f(x) = x^2", ["formula"]),
        ("lim x->0 sin(x)/x", ["binding", "formula"]),
        ("a 5", ["formula"]),
    ],
)
def test_formulas_and_what_links_them(text: str, kinds: list[str]) -> None:
    assert [kind for kind, _ in mentions(text, read_formulas)] == kinds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a x", "variable or an article"),
        ("x = 1 = 2", "more than one '='"),
        ("x^2 = 1 mod 7", "modular"),
        ("what is 5 + 3!", "factorial or punctuation"),
        ("1/2x", "two ways|read as"),
    ],
)
def test_what_has_two_readings_is_refused(text: str, why: str) -> None:
    with pytest.raises(UnreadError, match=why):
        mentions(text, read_formulas)


def test_the_unknowns_of_a_system_are_understood() -> None:
    text = "x + y = 5 and x - y = 1 for x"
    assert mentions(text, read_formulas, join_equations) == [("equations", ["x + y = 5", "x - y = 1"])]


def test_orders_stand_before_a_word_that_asks() -> None:
    def orders(query: TokenizedQuery) -> None:
        read_orders(query, frozenset({"derivative"}))

    assert mentions("second derivative", orders) == [("order", 2)]
    assert mentions("4th derivative", orders) == [("order", 4)]
    assert mentions("second of May", orders) == []


def test_a_differential_names_the_variable() -> None:
    assert mentions("integrate t dt", read_differentials) == [("differential", "t")]


NODES = st.recursive(
    st.sampled_from(["x", "y", "2", "3.5", "pi"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/^"), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
        inner.map(lambda part: f"-({part})"),
        inner.map(lambda part: f"sin({part})"),
    ),
    max_leaves=6,
)


@given(NODES)
def test_rendering_a_tree_and_parsing_it_gives_the_tree(text: str) -> None:
    tree = parse(text)
    assert parse(render(tree)) == tree
