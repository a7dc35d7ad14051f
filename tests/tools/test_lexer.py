"""Tokens of formulas and text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.lexer import cut, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("1,234.5x²", ["number 1234.5", "name x", "superscript 2"]),
        ("6 ÷ 3 × 2", ["number 6", "operator /", "number 3", "operator *", "number 2"]),
        ("√2 − π", ["name sqrt", "number 2", "operator -", "name pi"]),
        ("log₂(8)", ["name log2", "operator (", "number 8", "operator )"]),
        ("x->∞", ["name x", "operator ->", "name oo"]),
        ("0x1F + 0b101", ["number 31", "operator +", "number 5"]),
        ("0xZZ", ["number 0", "name xZZ"]),
        ("1,2,345", ["number 1", "other ,", "number 2345"]),
        ("what's ٣?", ["name what's", "other ٣", "other ?"]),
    ],
)
def test_kinds_and_canonical_texts(text: str, tokens: list[str]) -> None:
    assert [f"{token.kind} {token.text}" for token in tokenize(text)] == tokens


@given(st.text(max_size=40))
def test_every_character_but_white_space_is_in_one_token(text: str) -> None:
    tokens = tokenize(text)
    assert "".join(text[token.start : token.end] for token in tokens) == "".join(text.split())
    assert all(left.end <= right.start for left, right in pairwise(tokens))


def test_phrases_are_cut_as_questions_are_and_the_longest_comes_first() -> None:
    assert cut(("at", "With respect to", "g/mol")) == (("with", "respect", "to"), ("g", "/", "mol"), ("at",))
