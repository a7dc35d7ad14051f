"""API keys, from entries and as new ones; what each owner has."""

from __future__ import annotations

import pytest
from langgraph.store.base import Op
from langgraph.store.memory import InMemoryStore

from agents.errors import InputError
from app.server.api_keys import LOCAL, Caller, OwnedStore, key_hash, new_key, owner_label, read_keys


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


def test_each_owner_sees_an_own_part() -> None:
    shared = InMemoryStore()
    alice, bob = OwnedStore(shared, "alice"), OwnedStore(shared, "bob")
    alice.put(("lessons", "maths"), "k", {"text": "carry the one"})
    found = alice.get(("lessons", "maths"), "k")
    assert found is not None
    assert (found.namespace, found.value) == (("lessons", "maths"), {"text": "carry the one"})
    assert [item.namespace for item in alice.search(("lessons",))] == [("lessons", "maths")]
    assert bob.get(("lessons", "maths"), "k") is None
    assert bob.search(()) == []
    kept = shared.get(("alice", "lessons", "maths"), "k")  # what the shared store keeps is not changed
    assert kept is not None
    assert kept.namespace == ("alice", "lessons", "maths")


async def test_namespaces_are_listed_without_the_owner() -> None:
    shared = InMemoryStore()
    alice, bob = OwnedStore(shared, "alice"), OwnedStore(shared, "bob")
    for namespace in (("a", "b"), ("a", "c", "d"), ("x",)):
        await alice.aput(namespace, "k", {})
    await bob.aput(("a", "z"), "k", {})
    assert sorted(await alice.alist_namespaces()) == [("a", "b"), ("a", "c", "d"), ("x",)]
    assert sorted(await alice.alist_namespaces(prefix=("a",), max_depth=2)) == [("a", "b"), ("a", "c")]
    assert await bob.alist_namespaces(suffix=("z",)) == [("a", "z")]


def test_an_unknown_operation_is_refused() -> None:
    other: Op = "not an operation"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="str"):
        OwnedStore(InMemoryStore(), "alice").batch([other])


def test_labels_have_no_periods_and_none_is_the_local_persons() -> None:
    assert owner_label(Caller("a.b", frozenset())) == "a~b"
    assert owner_label(LOCAL) == "~local"
