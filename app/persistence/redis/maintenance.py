"""Operate on whole threads: lock, delete, copy, prune, delete by run, and list the register of threads."""

from __future__ import annotations

import os
from collections.abc import Sequence

from app.persistence.errors import PersistenceError
from app.persistence.locks import Manner
from app.persistence.redis.codec import NAME_BYTES
from app.persistence.redis.keys import Layout, decode_id, encode_id
from app.persistence.redis.operations import Operation, command, script

_PAGE = 256


def delete_thread(layout: Layout, thread_id: str) -> Operation[None]:
    """Remove a thread, damaged or not, and what refers to it."""
    layout.seen.forget(thread_id)
    keys = (*layout.keys.thread(thread_id), layout.keys.lock(thread_id))
    runs = yield script("delete", keys)
    yield command("ZREM", layout.keys.threads, encode_id(thread_id))
    for run in runs:
        if run != bytes(NAME_BYTES):
            yield command("SREM", layout.keys.run(run), encode_id(thread_id))


def copy_thread(layout: Layout, source: str, target: str) -> Operation[None]:
    """Copy everything of a thread to a new one; a source that does not exist copies nothing.

    The copy travels through the client, because in a cluster the two threads live on different nodes.
    """
    dump = yield script("dump", layout.keys.thread(source))
    if not dump:
        return
    hash_dump, set_dump, ttl, runs = dump
    encoded = encode_id(target)
    yield command("ZADD", layout.keys.threads, 0, encoded)
    for run in runs:
        if run != bytes(NAME_BYTES):
            yield command("SADD", layout.keys.run(run), encoded)
    epoch = os.urandom(NAME_BYTES)
    if not (yield script("restore", layout.keys.thread(target), hash_dump, set_dump, max(ttl, 0), epoch)):
        raise PersistenceError(
            f"Thread {target!r} exists already.", hint="Delete it first, or copy to a new id."
        )


def prune(layout: Layout, thread_ids: Sequence[str], strategy: str) -> Operation[None]:
    """Remove all checkpoints (`delete`), or all that the latest ones do not need (`keep_latest`)."""
    if strategy not in ("keep_latest", "delete"):
        raise ValueError(f"strategy {strategy!r} is unknown; use 'keep_latest' or 'delete'.")
    for thread_id in thread_ids:
        if strategy == "delete":
            yield from delete_thread(layout, thread_id)
        else:
            layout.seen.forget(thread_id)
            yield script("prune", layout.keys.thread(thread_id))


def delete_for_runs(layout: Layout, run_ids: Sequence[str]) -> Operation[None]:
    """Remove the checkpoints of runs from every thread, but not those that others are replayed from."""
    runs = list(dict.fromkeys(map(layout.run, run_ids)))
    threads: dict[str, None] = {}
    for run in runs:
        found = [decode_id(encoded) for encoded in (yield command("SMEMBERS", layout.keys.run(run)))]
        if not found and layout.settings.ttl:  # the set may expire before a thread that is still read
            found = yield from thread_ids(layout)
        threads |= dict.fromkeys(found)
    for thread_id in threads:
        layout.seen.forget(thread_id)
        yield script("delete_runs", layout.keys.thread(thread_id), *runs)
    for run in runs:
        yield command("DEL", layout.keys.run(run))


def thread_ids(layout: Layout) -> Operation[list[str]]:
    """Return all threads by id, and drop those that expired from the register."""
    existing: list[str] = []
    start = b"-"
    while True:
        page = yield command("ZRANGEBYLEX", layout.keys.threads, start, "+", "LIMIT", 0, _PAGE)
        for encoded in page:
            thread_id = decode_id(encoded)
            hash_key, _ = layout.keys.thread(thread_id)
            if (yield command("EXISTS", hash_key)):
                existing.append(thread_id)
            else:
                yield command("ZREM", layout.keys.threads, encoded)
                if (yield command("EXISTS", hash_key)):  # it came back in between
                    yield command("ZADD", layout.keys.threads, 0, encoded)
                    existing.append(thread_id)
        if len(page) < _PAGE:
            return existing
        start = b"(" + page[-1]


def lock(layout: Layout, thread_id: str, owner: str, seconds: float, manner: Manner) -> Operation[int]:
    """Ask for the lock of a thread; return how many owners come first, or -1 for a renewal too late."""
    key = layout.keys.lock(thread_id)
    return int((yield script("lock", (key,), owner, round(seconds * 1000), manner)))


def unlock(layout: Layout, thread_id: str, owner: str) -> Operation[None]:
    """Give the lock of a thread, or a place in its queue, back."""
    yield command("HDEL", layout.keys.lock(thread_id), owner)


def thread_size(layout: Layout, thread_id: str) -> Operation[int]:
    """Return the number of checkpoints of a thread, in all namespaces."""
    _, set_key = layout.keys.thread(thread_id)
    return int((yield command("ZLEXCOUNT", set_key, "[c", "(d")))
