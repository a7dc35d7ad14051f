"""API keys, from entries and as new ones."""

from __future__ import annotations

import pytest

from agents.errors import InputError
from app.server.api_keys import key_hash, new_key, read_keys


def test_a_new_key_is_known_by_its_hash_only() -> None:
    key, entry = new_key("alice")
    assert key not in entry
    keys = read_keys(f"# who\n{entry}:chat+metrics, {new_key('bob')[1]}")
    assert keys[key_hash(key)].scopes == {"chat", "metrics"}
    assert [caller.name for caller in keys.values()] == ["alice", "bob"]
    assert keys[key_hash(key)].stored("t") == "alice/t"
    with pytest.raises(InputError, match="'a b' cannot name a key"):
        new_key("a b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("octopus-secret", "entry 1 of the API keys is not understood"),
        (f"a:{'0' * 64}:chat+all", "key 'a' has an unknown scope 'all'"),
        (f"a:{'0' * 64} b:{'0' * 64}", "key 'b' stands twice"),
    ],
)
def test_faulty_keys(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_keys(text)
    assert "secret" not in str(caught.value)
