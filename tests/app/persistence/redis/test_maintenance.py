"""Delete, copy, prune, delete by run, shallow history; and that nothing is left behind."""

from __future__ import annotations

from typing import Any

import pytest

from app.persistence import RedisSaver
from app.persistence.errors import PersistenceError
from app.persistence.redis.operations import Operation, command
from tests.app.persistence.conftest import Target
from tests.app.persistence.samples import config, ids, put, values


def send(saver: RedisSaver, *words: bytes | str) -> Any:
    """One plain command."""

    def operation() -> Operation[Any]:
        return (yield command(*words))

    return saver.client.run(operation())


def converse(saver: RedisSaver, turns: int, thread: str = "thread", **metadata: Any) -> list[str]:
    """A growing list, with writes; returns it."""
    found = saver.get_tuple(config(thread))
    log = list(found.checkpoint["channel_values"]["log"]) if found else []
    where = found.config if found else config(thread)
    for _ in range(turns):
        log.append(f"{len(log)}:" + "x" * 300)
        where = put(saver, {"log": log}, where, versions={"log": len(log)}, **metadata)
        saver.put_writes(where, [("log", [log[-1]]), ("other", "y" * 400)], "task")
    return log


def fields(saver: RedisSaver, thread: str = "thread") -> dict[str, int]:
    """Number of fields of each kind in the hash of a thread."""

    def count() -> Operation[dict[str, int]]:
        names = yield command("HKEYS", saver.layout.keys.thread(thread)[0])
        kinds = [name[:1].decode() for name in names]
        return {kind: kinds.count(kind) for kind in "cwvi"}

    return saver.client.run(count())


def test_prune_leaves_one_checkpoint_and_no_garbage(saver: RedisSaver) -> None:
    log = converse(saver, 70)
    last = saver.get_tuple(config())
    put(saver, {"sub": ["z" * 300]}, config(namespace="child"))
    saver.prune(["thread"], strategy="keep_latest")
    assert saver.get_tuple(config()) == last
    assert len(ids(saver, config(namespace=None))) == 2
    left = fields(saver)
    assert (left["c"], left["w"], left["i"]) == (2, 1, len(log) + 2)
    assert left["v"] < 70
    assert converse(saver, 5)[:70] == log
    assert values(saver, config())["log"][:70] == log


def test_prune_knows_its_strategies(saver: RedisSaver) -> None:
    converse(saver, 2)
    with pytest.raises(ValueError, match="'keep_all'"):
        saver.prune(["thread"], strategy="keep_all")
    saver.prune(["thread"], strategy="delete")
    assert fields(saver) == {"c": 0, "w": 0, "v": 0, "i": 0}


def test_deleting_leaves_no_key(clean_redis: Target) -> None:
    with clean_redis.saver(prefix="p") as saver:
        converse(saver, 3, run_id="run 1")
        converse(saver, 3, "other", run_id="run 1")
        saver.delete_thread("thread")
        saver.delete_thread("other")
        assert send(saver, "KEYS", "*") == []


def test_runs_are_deleted_in_all_their_threads(saver: RedisSaver) -> None:
    for thread in ("one", "two"):
        converse(saver, 3, thread, run_id="first")
        converse(saver, 3, thread, run_id="second")
    saver.delete_for_runs(["first", "unknown"])
    for thread in ("one", "two"):
        assert len(ids(saver, config(thread))) == 3
        assert len(values(saver, config(thread))["log"]) == 6
    saver.delete_for_runs(["second"])
    assert list(saver.thread_ids()) == []
    converse(saver, 1, "one")
    assert len(ids(saver, config("one"))) == 1


def test_runs_of_threads_that_outlive_their_register_are_found(redis: Target) -> None:
    with redis.saver(ttl=600) as saver:
        converse(saver, 2, run_id="run")
        key = saver.layout.keys.run(saver.layout.run("run"))
        send(saver, "DEL", key)
        saver.delete_for_runs(["run"])
        assert ids(saver, config()) == []


def test_a_copy_is_whole_and_independent(saver: RedisSaver) -> None:
    log = converse(saver, 20)
    saver.copy_thread("thread", "copy")
    assert ids(saver, config("copy")) == ids(saver, config())
    converse(saver, 5)
    assert values(saver, config("copy"))["log"] == log
    saver.delete_thread("thread")
    copied = converse(saver, 3, "copy")
    assert values(saver, config("copy"))["log"] == copied
    assert list(saver.thread_ids()) == ["copy"]
    saver.copy_thread("nothing", "nowhere")
    assert saver.get_tuple(config("nowhere")) is None


def test_a_copy_does_not_overwrite(saver: RedisSaver) -> None:
    converse(saver, 1)
    converse(saver, 2, "other")
    with pytest.raises(PersistenceError, match="'other' exists"):
        saver.copy_thread("thread", "other")
    assert len(ids(saver, config("other"))) == 2


def test_shallow_history_stays_small(redis: Target) -> None:
    with redis.saver(history="shallow") as saver:
        sizes = []
        for _ in range(6):
            log = converse(saver, 30)
            assert values(saver, config())["log"] == log
            assert len(ids(saver, config())) == 1
            sizes.append(sum(fields(saver).values()) - len(log))
        assert max(sizes) < 2 * len(log)
        window = [f"{i}" + "w" * 300 for i in range(200)]
        for i in range(150):  # a list that forgets
            put(saver, {"log": window[i : i + 10]}, config("window"), versions={"log": i})
        assert fields(saver, "window")["i"] < 100
        assert values(saver, config("window"))["log"] == window[149:159]


def test_a_writer_with_old_knowledge_sends_again(redis: Target) -> None:
    with redis.saver(prefix="stale") as one, redis.saver(prefix="stale") as two:
        log = converse(one, 10)
        two.delete_thread("thread")
        log.append("after the delete " + "x" * 300)
        put(one, {"log": log}, versions={"log": 11})
        assert values(two, config())["log"] == log
        two.prune(["thread"])
        log = [*log[:3], "new " + "x" * 300]
        put(one, {"log": log}, versions={"log": 12})
        assert values(two, config())["log"] == log
        one.put_writes(config(checkpoint_id="later"), [("log", [log[0]])], "task")
        two.delete_thread("thread")
        one.put_writes(config(checkpoint_id="later"), [("log", [log[0]])], "task")
        put(two, {}, id="later")
        found = two.get_tuple(config())
        assert found is not None and found.pending_writes == [("task", "log", [log[0]])]
        two.delete_thread("thread")
