"""A caller's part of a store that all callers share."""

from __future__ import annotations

import pytest
from langgraph.store.base import Op
from langgraph.store.memory import InMemoryStore

from app.server.api_keys import LOCAL, Caller
from app.server.owned_store import OwnedStore, owner_label


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
