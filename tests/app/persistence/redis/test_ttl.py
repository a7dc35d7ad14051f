"""Threads expire as a whole, and never in part."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.persistence import RedisSaver
from app.persistence.redis.operations import Operation, command
from tests.app.persistence.conftest import Target
from tests.app.persistence.samples import config, ids, put, values


def expiries(saver: RedisSaver) -> list[int]:
    """Milliseconds to live of the two keys of a thread."""

    def ask() -> Operation[list[int]]:
        hash_key, set_key = saver.layout.keys.thread("thread")
        return [(yield command("PTTL", hash_key)), (yield command("PTTL", set_key))]

    return saver.client.run(ask())


def test_every_use_lets_the_whole_thread_live_on(target: Target) -> None:
    with target.saver(ttl=2) as saver:
        where = put(saver, {"old": "x" * 300})
        uses: list[Callable[[], object]] = [
            lambda: put(saver, {"new": 1}, where),
            lambda: saver.put_writes(where, [("new", 1)], "task"),
            lambda: saver.get_tuple(config()),
            lambda: ids(saver, config()),
            lambda: saver.get_delta_channel_history(config=config(), channels=["new"]),
        ]
        for use in uses:
            time.sleep(0.25)
            before = expiries(saver)
            use()
            assert all(left > earlier for left, earlier in zip(expiries(saver), before, strict=True))
        assert values(saver, where) == {"old": "x" * 300}
        time.sleep(2.1)
        assert saver.get_tuple(config()) is None
        assert list(saver.thread_ids()) == []


def test_reading_need_not_count_as_use(redis: Target) -> None:
    with redis.saver(ttl=0.4, refresh_on_read=False) as saver:
        put(saver, {"a": 1})
        time.sleep(0.3)
        assert values(saver, config()) == {"a": 1}
        time.sleep(0.15)
        assert saver.get_tuple(config()) is None


def test_a_writer_notices_that_its_thread_expired(redis: Target) -> None:
    with redis.saver(ttl=0.2) as saver:
        log = ["a" * 300, "b" * 300]
        where = put(saver, {"log": log})
        time.sleep(0.25)
        log.append("c" * 300)
        put(saver, {"log": log}, where, versions={"log": 2})
        assert values(saver, config())["log"] == log
        assert list(saver.thread_ids()) == ["thread"]


def test_without_ttl_nothing_expires(redis: Target) -> None:
    with redis.saver() as saver:
        put(saver, {"a": 1})
        values(saver, config())
        assert expiries(saver) == [-1, -1]


def test_a_copy_lives_as_long_as_its_source(redis: Target) -> None:
    with redis.saver(ttl=100, prefix="ttlcopy") as saver:
        put(saver, {"a": 1}, config("source"))
        saver.copy_thread("source", "thread")
        assert all(99_000 < left <= 100_000 for left in expiries(saver))
