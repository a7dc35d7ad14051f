"""Defects of savers for plain Redis, each as a check that fails where the defect is and passes on ours.

The other savers are those of the extra `savers`; `make accept` shows their defects.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.persistence import RedisSaver
from tests.app.persistence.conftest import Target
from tests.app.persistence.samples import Saver, config, ids, put, values
from tests.app.persistence.servers import free_port

Make = Callable[..., Saver]
"""Makes a saver for a url, with a ttl in seconds or none."""


def glob_ids(make: Make, url: str) -> None:
    saver = make(url)
    for thread in ("*", "alice", "b?b", "bob"):
        put(saver, {"a": thread}, config(thread))
    saver.delete_thread("*")
    saver.delete_thread("b?b")
    assert [saver.get_tuple(config(thread)) is None for thread in ("*", "alice", "b?b", "bob")] == [
        True,
        False,
        True,
        False,
    ]


def colliding_ids(make: Make, url: str) -> None:
    saver = make(url)
    put(saver, {"secret": "of alice"}, config("alice", "bob:1"))
    assert saver.get_tuple(config("alice:bob", "1")) is None


def unreachable_server(make: Make, url: str) -> None:
    del url
    saver = make(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(Exception, match=r"."):
        saver.get_tuple(config())


def unchanged_channel_of_an_active_thread(make: Make, url: str) -> None:
    saver = make(url, ttl=2)
    where = put(saver, {"profile": "kept", "turn": 0})
    for turn in range(1, 4):
        time.sleep(0.9)
        versions = {"profile": 1, "turn": 1 + turn}
        channel_values = {"profile": "kept", "turn": turn}
        where = put(saver, channel_values, where, versions=versions, changed={"turn": 1 + turn})
    assert values(saver, config()) == {"profile": "kept", "turn": 3}


def list_across_namespaces(make: Make, url: str) -> None:
    saver = make(url)
    stored = [put(saver, {}, config(namespace=name)) for name in ("", "child", "child|grandchild")]
    wanted = {where["configurable"]["checkpoint_id"] for where in stored}
    assert set(ids(saver, config(namespace=None))) == wanted


def same_checkpoint_twice(make: Make, url: str) -> None:
    saver = make(url)
    first = put(saver, {"a": 1}, id="1f000000-0000-6000-8000-000000000001")
    second = put(saver, {"a": 2}, first, versions={"a": 2}, id="1f000000-0000-6000-8000-000000000002")
    put(saver, {"a": 1}, id="1f000000-0000-6000-8000-000000000001")
    wanted = [where["configurable"]["checkpoint_id"] for where in (second, first)]
    assert ids(saver, config()) == wanted
    assert values(saver, config()) == {"a": 2}


def order_of_fan_out_writes(make: Make, url: str) -> None:
    saver = make(url)
    where = put(saver, {})
    for position, task in [(2, "c"), (0, "d"), (3, "b"), (1, "a")]:  # the order in which they finish
        saver.put_writes(where, [("results", position)], task, f"~__pregel_push, {position:010d}, False")
    found = saver.get_tuple(where)
    assert found is not None and found.pending_writes is not None
    assert [value for _, _, value in found.pending_writes] == [0, 1, 2, 3]


CHECKS = [
    glob_ids,
    colliding_ids,
    unreachable_server,
    unchanged_channel_of_an_active_thread,
    list_across_namespaces,
    same_checkpoint_twice,
    order_of_fan_out_writes,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_ours_is_without_the_defect(check: Callable[[Make, str], None], redis: Target, request: Any) -> None:
    def make(url: str, ttl: float | None = None) -> Saver:
        saver = RedisSaver.from_url(url, ttl=ttl, prefix=check.__name__, retries=1)
        request.addfinalizer(saver.client.close)
        return saver

    check(make, redis.url)


def _valkey(url: str, ttl: float | None = None) -> Saver:
    pytest.importorskip("valkey", reason="valkey is not installed: defects of ValkeySaver are not shown")
    module = pytest.importorskip(
        "langgraph_checkpoint_aws", reason="langgraph-checkpoint-aws is not installed"
    )
    client = importlib.import_module("valkey").Valkey.from_url(url)
    saver: Saver = module.ValkeySaver(client, ttl=ttl)
    return saver


def _plainredis(url: str, ttl: float | None = None) -> Saver:
    reason = "langgraph-checkpoint-plainredis is not installed: its defects are not shown"
    module = pytest.importorskip("langgraph_checkpoint_plainredis", reason=reason)
    saver: Saver = module.RedisSaver(url=url, ttl=ttl)
    return saver


@pytest.mark.accept
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("check", "make"),
    [
        (glob_ids, _valkey),
        (colliding_ids, _plainredis),
        (unreachable_server, _valkey),
        (unchanged_channel_of_an_active_thread, _plainredis),
        (list_across_namespaces, _valkey),
        (same_checkpoint_twice, _valkey),
        (order_of_fan_out_writes, _valkey),
        (order_of_fan_out_writes, _plainredis),
    ],
    ids=lambda value: value.__name__.strip("_"),
)
def test_the_other_saver_has_the_defect(
    check: Callable[[Make, str], None], make: Make, clean_redis: Target
) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(make, clean_redis.url)
