"""The node cache: alone, and under a graph."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import CachePolicy

from app.persistence import RedisCache
from app.persistence.errors import UnavailableError
from app.persistence.redis.client import RedisClient
from tests.app.persistence.conftest import Target
from tests.app.persistence.servers import free_port

Cache = RedisCache[Any]


@pytest.fixture
def cache(target: Target, request: pytest.FixtureRequest) -> Iterator[Cache]:
    prefix = f"cache{abs(hash(request.node.name))}"
    with Cache.from_url(target.url, cluster=target.cluster, prefix=prefix) as made:
        yield made


def test_namespaces_and_keys_do_not_meet(cache: Cache) -> None:
    keys = [(("a",), "b:c"), (("a", "b"), "c"), (("a:b",), "c"), (("*",), "*"), ((), "a"), (("",), "a")]
    cache.set({key: (i, None) for i, key in enumerate(keys)})
    assert cache.get([*keys, (("a",), "c")]) == {key: i for i, key in enumerate(keys)}
    cache.clear([("*",), ("never",)])
    assert cache.get(keys) == {key: i for i, key in enumerate(keys) if i != 3}
    cache.clear()
    assert cache.get(keys) == {}
    assert cache.get([]) == {}


async def test_async_stores_and_clears(target: Target) -> None:
    async with Cache.from_url(target.url, cluster=target.cluster, prefix="acache") as cache:
        await cache.aset({(("a",), "k"): ([("x", 1)], 60)})
        assert await cache.aget([(("a",), "k")]) == {(("a",), "k"): [["x", 1]]}
        await cache.aclear()
        assert await cache.aget([(("a",), "k")]) == {}


def test_values_expire_one_by_one(cache: Cache) -> None:
    short, long, ever = (("a",), "short"), (("a",), "long"), (("b",), "ever")
    cache.set({short: (1, 1), long: (2, 100), ever: (3, None)})
    assert cache.get([short, long, ever]) == {short: 1, long: 2, ever: 3}
    time.sleep(1.05)
    assert cache.get([short, long, ever]) == {long: 2, ever: 3}
    cache.set({short: (4, None)})
    assert cache.get([short]) == {short: 4}


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_cached_node_runs_once(redis: Target, asynchronous: bool) -> None:
    runs = 0

    def work(state: MessagesState) -> dict[str, Any]:
        nonlocal runs
        runs += 1
        return {"messages": [("ai", "done")]}

    builder = StateGraph(MessagesState)
    builder.add_node("work", work, cache_policy=CachePolicy(ttl=60, key_func=lambda _: "same"))
    builder.add_edge(START, "work")
    builder.add_edge("work", END)
    with Cache.from_url(redis.url, prefix=f"graph{asynchronous}") as cache:
        graph = builder.compile(cache=cache)
        for _ in range(3):
            question: Any = {"messages": [("user", "hello")]}
            result = await graph.ainvoke(question) if asynchronous else graph.invoke(question)
            assert result["messages"][-1].content == "done"
        await cache.client.aclose()
    assert runs == 1


def test_an_unreachable_server_is_an_error() -> None:
    cache = Cache(RedisClient(f"redis://127.0.0.1:{free_port()}", retries=0))
    with pytest.raises(UnavailableError):
        cache.get([(("a",), "k")])
