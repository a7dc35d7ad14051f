"""Tokens of a question: where they stand, and that none is taken twice."""

from __future__ import annotations

import re

import pytest

from tools.lexer import Token
from tools.reading.query import Mention, TokenizedQuery, UnreadError


def test_every_character_but_space_is_in_a_token() -> None:
    query = TokenizedQuery("What’s 2 + ½ of π?")
    assert query.text == "What's 2 + 1/2 of π?"
    assert "".join(query.source(k, k + 1) for k in range(len(query.tokens))) == "What's2+1/2ofπ?"
    assert query.words[:1] == ["what's"]


def test_there_are_empty_words_beside_the_tokens() -> None:
    query = TokenizedQuery("x squared")
    assert (query.words[-1], query.words[len(query.tokens)]) == ("", "")
    query.replace(1, 2, TokenizedQuery("^ 2").tokens)
    assert (query.words[:3], query.words[-1], query.words[len(query.tokens)]) == (["x", "^", "2"], "", "")


@pytest.mark.parametrize("text", ["x" * 2001, "a\0b"])
def test_what_is_no_question_is_refused(text: str) -> None:
    with pytest.raises(UnreadError):
        TokenizedQuery(text)


def test_a_token_is_taken_once() -> None:
    query = TokenizedQuery("5 kg of salt")
    query.take("quantity", "5 kilogram", 0, 2)
    with pytest.raises(UnreadError, match="'kg of' can be read in two ways"):
        query.take("unit", "kilogram", 1, 3)
    assert query.mentions == [Mention("quantity", "5 kilogram", 0, 2)]
    assert not query.words_at(1, ("kg", "of"))
    assert query.words_at(2, ("of", "salt"))


def test_take_all_goes_on_behind_what_it_took() -> None:
    query = TokenizedQuery("a a b a")
    query.take_all("pair", lambda k: ("aa", k + 2) if query.words_at(k, ("a", "a")) else None)
    assert query.mentions == [Mention("pair", "aa", 0, 2)]


def test_a_match_that_cuts_a_token_is_none() -> None:
    query = TokenizedQuery("on one")
    assert [(match.group(), first, end) for match, first, end in query.matches(re.compile("on"))] == [
        ("on", 0, 1)
    ]
    assert [found[1:] for found in query.matches(re.compile("on one"))] == [(0, 2)]


def test_respelled_tokens_are_spoken() -> None:
    query = TokenizedQuery("x squared")
    query.replace(1, 2, [Token("operator", "^", 2, 9)])
    assert [query.is_spoken(index) for index in range(2)] == [False, True]
