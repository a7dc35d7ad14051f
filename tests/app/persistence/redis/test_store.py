"""The store, with InMemoryStore as the model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from langgraph.store.base import BaseStore, GetOp, Op, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore

from app.persistence import RedisStore
from tests.app.persistence.conftest import Target


@pytest.fixture
def store(target: Target, request: pytest.FixtureRequest) -> Iterator[RedisStore]:
    prefix = f"store{abs(hash(request.node.name))}"
    with RedisStore.from_url(target.url, cluster=target.cluster, prefix=prefix) as made:
        yield made


NAMESPACES = [("a",), ("a", "b"), ("a", "bc"), ("ab",), ("a", "b", "c"), ("x:y", "*"), ("x", "y:*"), ("🐙",)]


def fill(store: BaseStore) -> None:
    for i, namespace in enumerate(NAMESPACES):
        for key in ("k", "k:1", "*", ""):
            store.put(namespace, key, {"n": i, "key": key, "even": i % 2 == 0})


def found(store: BaseStore, *args: Any, **kwargs: Any) -> list[Any]:
    items = store.search(*args, **{"limit": 1000, **kwargs})
    return sorted((item.namespace, item.key, tuple(item.value.items())) for item in items)


def test_it_does_what_the_model_does(store: RedisStore) -> None:
    model = InMemoryStore()
    fill(store)
    fill(model)
    for prefix in [(), ("a",), ("a", "b"), ("x",), ("none",)]:
        assert found(store, prefix) == found(model, prefix)
    for wanted in [
        {"even": True},
        {"n": {"$gte": 3}},
        {"n": {"$gt": 1, "$lt": 5}},
        {"key": {"$ne": "k"}},
        {"no": 1},
    ]:
        assert found(store, (), filter=wanted) == found(model, (), filter=wanted)
    for options in [
        {},
        {"prefix": ("a",)},
        {"suffix": ("b",)},
        {"prefix": ("*", "b")},
        {"max_depth": 1},
        {"limit": 2, "offset": 1},
    ]:
        assert store.list_namespaces(**options) == model.list_namespaces(**options)  # type: ignore[arg-type]
    store.delete(("a",), "k")
    model.delete(("a",), "k")
    store.delete(("a",), "never")
    assert store.get(("a",), "k") is None
    assert found(store, ()) == found(model, ())


def test_pages_do_not_overlap(store: RedisStore) -> None:
    for i in range(300):
        store.put(("many",), f"{i:03d}", {"i": i, "odd": i % 2 == 1})
    pages = [store.search(("many",), limit=70, offset=offset) for offset in range(0, 350, 70)]
    assert [item.key for page in pages for item in page] == [f"{i:03d}" for i in range(300)]
    odd = [store.search(("many",), filter={"odd": True}, limit=70, offset=offset) for offset in (0, 70, 140)]
    assert [item.value["i"] for page in odd for item in page] == list(range(1, 300, 2))


def test_times_and_updates(store: RedisStore) -> None:
    store.put(("a",), "k", {"v": 1})
    first = store.get(("a",), "k")
    store.put(("a",), "k", {"v": 2})
    second = store.get(("a",), "k")
    assert first and second and second.value == {"v": 2}
    assert second.created_at == first.created_at and second.updated_at > first.updated_at
    assert abs(first.created_at.timestamp() - time.time()) < 60


def test_a_batch_reads_first_and_the_last_put_counts(store: RedisStore) -> None:
    ops: list[Op] = [
        PutOp(("a",), "k", {"v": 1}),
        GetOp(("a",), "k"),
        PutOp(("a",), "k", {"v": 2}),
        SearchOp(("a",)),
    ]
    assert store.batch(ops) == InMemoryStore().batch(ops) == [None, None, None, []]
    item = store.get(("a",), "k")
    assert item is not None and item.value == {"v": 2}


async def test_async_and_concurrent(target: Target) -> None:
    async with RedisStore.from_url(target.url, cluster=target.cluster, prefix="async") as store:
        await asyncio.gather(*(store.aput(("a", str(i % 3)), str(i), {"i": i}) for i in range(40)))
        items = await store.asearch(("a",), limit=100)
        assert sorted(item.value["i"] for item in items) == list(range(40))
        await store.adelete(("a", "0"), "0")
        assert await store.aget(("a", "0"), "0") is None


def test_items_expire_and_leave_no_trace(redis: Target) -> None:
    with RedisStore.from_url(redis.url, prefix="expire", ttl={"default_ttl": 0.5 / 60}) as store:
        store.put(("a",), "short", {"v": 1})
        store.put(("b",), "long", {"v": 1}, ttl=10)
        store.put(("c",), "ever", {"v": 1}, ttl=None)
        for _ in range(3):
            time.sleep(0.3)
            assert store.get(("a",), "short") is not None  # reading refreshes
        time.sleep(0.3)
        assert store.search(("a",), refresh_ttl=False)
        time.sleep(0.3)
        assert store.get(("a",), "short") is None
        assert store.list_namespaces() == [("b",), ("c",)]


def test_bad_requests_are_named(redis: Target) -> None:
    with RedisStore.from_url(redis.url, prefix="bad") as store:
        store.put(("a",), "k", {"v": 1})
        with pytest.raises(ValueError, match=r"\$near"):
            store.search(("a",), filter={"v": {"$near": 1}})
        with pytest.raises(TypeError, match="test_store"):
            store.put(("a",), "k", {"v": Odd()})


class Odd:
    """Looks like a named tuple to the serializer."""

    def _asdict(self) -> dict[str, int]:
        return {}
