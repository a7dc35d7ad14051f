"""Calls survive what people type, and what is no call is an error that says why."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.errors import RoutingError
from agents.octopus.causal.grammar import Call, MalformedCallError, escape, read_call, unescape, write_call
from agents.octopus.tokens import defuse
from tests.causal import HOSTILE, slot, small_grammar, small_tokenizer

# Text as UTF-8 has it, with what is likely to break quoting drawn often.
_ANY = st.characters(exclude_categories=["Cs"])
_PIECES = st.one_of(st.sampled_from([*HOSTILE, "'", "\\", "')", "('", "\n", '"', "(", ")", "\ufffd"]), _ANY)
TEXTS = st.lists(_PIECES, min_size=1, max_size=24).map("".join).filter(lambda text: text.strip() != "")


def _round_trip(text: str) -> None:
    grammar = small_grammar()
    ids = grammar.write(Call(slot(4), text))
    assert grammar.read(ids, [slot(4)]) == Call(slot(4), text)
    assert not set(ids[1:-1]) & small_tokenizer().special


@given(TEXTS)
@settings(max_examples=500, deadline=None)
def test_any_text_round_trips(text: str) -> None:
    _round_trip(text)


@pytest.mark.accept
@pytest.mark.timeout(900)
@given(TEXTS)
@settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_hundred_thousand_texts_round_trip(text: str) -> None:
    _round_trip(text)


@given(TEXTS)
def test_escaping_leaves_no_bare_quote(text: str) -> None:
    escaped = escape(text)
    assert unescape(escaped) == text
    assert "'" not in escaped.replace("\\\\", "").replace("\\'", "")


def test_a_bare_apostrophe_is_read_as_itself() -> None:
    grammar = small_grammar()
    ids = [slot(1), *small_tokenizer().user_ids("('what's new?')"), grammar.end]
    assert grammar.read(ids, [slot(1)]).rewritten == "what's new?"


def _text(text: str) -> list[int]:
    return small_tokenizer().user_ids(text)


_END = small_grammar().end
MALFORMED: list[tuple[str, Sequence[int]]] = [
    ("no token", []),
    ("no token", [*_text("('a query')"), _END]),
    ("illegal token", [slot(5), *_text("('a query')"), _END]),
    ("illegal token", [_END]),
    ("two tokens", [slot(4), slot(4), *_text("('a query')"), _END]),
    ("two tokens", [slot(4), *_text("('a"), slot(3), *_text("query')"), _END]),
    ("no end", [slot(4)]),
    ("no end", [slot(4), *_text("('a query')")]),
    ("no end", [slot(4), *_text("('") * 1, *([_text("a")[0]] * 10_000)]),
    ("no quotes", [slot(4), _END]),
    ("no quotes", [slot(4), *_text("a query"), _END]),
    ("no quotes", [slot(4), *_text("('"), _END]),
    ("no quotes", [slot(4), *_text("(')"), _END]),
    ("empty rewrite", [slot(4), *_text("('')"), _END]),
    ("empty rewrite", [slot(4), *_text("(' \n ')"), _END]),
    ("not text", [slot(4), *_text("('"), *_text("é")[:1], *_text("')"), _END]),
]


@pytest.mark.parametrize(("fault", "ids"), MALFORMED)
def test_what_is_no_call_is_an_error(fault: str, ids: Sequence[int]) -> None:
    with pytest.raises(MalformedCallError) as caught:
        small_grammar().read(ids, [slot(4)])
    assert caught.value.fault == fault
    assert isinstance(caught.value, RoutingError)


@given(st.lists(st.integers(0, 475), max_size=40))
@settings(max_examples=500, deadline=None)
def test_random_output_is_a_call_or_an_error(ids: list[int]) -> None:
    grammar = small_grammar()
    try:
        call = grammar.read([slot(4), *ids], [slot(4)])
    except MalformedCallError:
        return
    assert call.rewritten.strip()


def test_what_follows_the_end_is_ignored() -> None:
    grammar = small_grammar()
    ids = grammar.write(Call(slot(4), "a query"))
    assert grammar.read([*ids, slot(3), 99_999], [slot(4)]) == Call(slot(4), "a query")


@given(st.text(min_size=1).filter(lambda text: text.strip()).map(defuse))
def test_every_query_survives_as_text(query: str) -> None:
    assert read_call(write_call(query)) == query
    assert read_call(f" {write_call(query)}\n") == query


def test_a_bare_apostrophe_is_itself() -> None:
    assert read_call("('Kenya's capital')") == "Kenya's capital"


@pytest.mark.parametrize(
    "text",
    ["", "(')", "('')", "('  ')", "Nairobi", "('a", "('a')('b", "('a')<nexa_3>('b')", "('<nexa_end>')"],
)
def test_what_is_no_call_as_text_is_typed(text: str) -> None:
    with pytest.raises(MalformedCallError):
        read_call(text)
