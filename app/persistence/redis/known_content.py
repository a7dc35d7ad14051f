"""What a client knows to be in Redis, so that it need not be sent again.

Only a hint: the scripts check every reference, and answer `stale` if Redis has lost something.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.persistence.redis.snapshot import Snapshot

_LISTS = 64
_NOTED = 8192


@dataclass(frozen=True, slots=True)
class StoredList:
    """A list value in Redis.

    Attributes:
        ref: its manifest.
        hashes: of its items.
        depth: how many manifests it is built from.
        snapshot: of its items, as far as this process wrote them.
    """

    ref: bytes
    hashes: tuple[bytes, ...]
    depth: int
    snapshot: Snapshot = Snapshot()  # noqa: RUF009


@dataclass(slots=True)
class Seen:
    """What one thread has stored: hashes of items, and the latest list per (hashed namespace, channel)."""

    items: set[bytes] = field(default_factory=set)
    _lists: OrderedDict[tuple[bytes, str], StoredList] = field(default_factory=OrderedDict)
    _newest: dict[str, StoredList] = field(default_factory=dict)

    def list_before(self, name: bytes, channel: str) -> StoredList | None:
        """The latest list of a channel; in a new namespace, that of the same channel in another."""
        return self._lists.get((name, channel)) or self._newest.get(channel)

    def learn(self, items: Iterable[bytes], name: bytes, lists: Mapping[str, StoredList]) -> None:
        """Remember what a script stored or read in a namespace."""
        self.items.update(items)
        for channel, stored in lists.items():
            known = self._lists.get((name, channel))
            if known is None or known.ref != stored.ref:  # the same ref: what is known has a snapshot
                self._lists[(name, channel)] = self._newest[channel] = stored
        while len(self._lists) > _LISTS:
            self._lists.popitem(last=False)


class SeenThreads:
    """The threads used last; safe to use from several threads of execution.

    Their lists stay in memory (see `Snapshot`), which is why there are few.
    """

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._threads: OrderedDict[str, Seen] = OrderedDict()
        self._noted: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def get(self, thread_id: str) -> Seen | None:
        """What is known of a thread, if anything."""
        with self._lock:
            seen = self._threads.get(thread_id)
            if seen is not None:
                self._threads.move_to_end(thread_id)
            return seen

    def open(self, thread_id: str) -> Seen:
        """What is known of a thread, empty at first."""
        with self._lock:
            seen = self._threads.setdefault(thread_id, Seen())
            self._threads.move_to_end(thread_id)
            if len(self._threads) > self._limit:
                self._threads.popitem(last=False)
            return seen

    def forget(self, thread_id: str) -> None:
        """Drop what is known of a thread."""
        with self._lock:
            self._threads.pop(thread_id, None)

    def is_noted(self, thread_id: str, run: bytes) -> bool:
        """Whether a register names the thread; that of a run, or the one of all threads for b""."""
        with self._lock:
            return (thread_id, run) in self._noted

    def note(self, thread_id: str, run: bytes) -> None:
        """A register names the thread now."""
        with self._lock:
            self._noted[(thread_id, run)] = None
            if len(self._noted) > _NOTED:
                self._noted.popitem(last=False)
