"""Names of keys cannot meet, whatever they are made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.persistence.redis.keys import Keys, decode_id, encode_id, encode_namespace

LABELS = st.lists(st.text(st.sampled_from("a:1/*{}\n"), max_size=3), max_size=3)


@given(st.text(st.characters(codec=None), max_size=5))
def test_any_id_comes_back(text: str) -> None:
    assert decode_id(encode_id(text)) == text


@given(LABELS, LABELS)
def test_a_prefix_of_a_namespace_is_a_prefix_of_its_bytes(one: list[str], other: list[str]) -> None:
    starts = encode_namespace(other).startswith(encode_namespace(one))
    assert starts == (other[: len(one)] == one)


@pytest.mark.parametrize("prefix", ["", "a:b", "a/b", "a{", "a*", "ä", "a\n"])
def test_a_prefix_that_could_meet_another_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        Keys(prefix)


@given(st.sampled_from(["p", "p.q"]), st.text(max_size=4), st.text(max_size=4))
def test_threads_do_not_share_keys(prefix: str, one: str, other: str) -> None:
    keys = Keys(prefix)
    assert (keys.thread(one) == keys.thread(other)) == (one == other)
    assert not set(keys.thread(one)) & {keys.threads, keys.store(one), *keys.cache(encode_id(one))}
