"""Remember what is in Redis, so that it need not be sent, nor even encoded, again.

Only a hint: the scripts check every reference, and answer `stale` if Redis has lost something.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from langchain_core.messages import BaseMessage

_LISTS = 64
_NOTED = 8192

_fields = attrgetter("__dict__")
_extra_fields = attrgetter("__pydantic_extra__")


class _OpaqueError(Exception):
    """Stop at a value of which equality does not mean equal bytes."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Copy the items of a list, to tell later which of them would be encoded as before without encoding them.

    Messages are mutable, so that identity says nothing; but comparing a message with a copy of its fields is
    ten times cheaper than encoding and hashing it. What is neither a message of LangChain nor plain data
    never counts as unchanged. Whole columns compare fastest, hence the layout.

    Attributes:
        types: of the items; None for one that never counts as unchanged.
        contents: fields of messages, or plain data.
        extras: extra fields of messages.
        numbered: the items with numbers in them: 1 == 1.0 == True, but their bytes differ.
        messages: whether all items are messages, whose fields are read faster.
    """

    types: tuple[type | None, ...] = ()
    contents: tuple[Any, ...] = ()
    extras: tuple[Any, ...] = ()
    numbered: tuple[int, ...] = ()
    messages: bool = True

    def extended(self, same: int, items: Sequence[Any]) -> Snapshot:
        """Keep the first `same` items, then copy the rest of `items`."""
        rows = [_copy_item(item) for item in items[same:]]
        return Snapshot(
            (*self.types[:same], *(row[0] for row in rows)),
            (*self.contents[:same], *(row[1] for row in rows)),
            (*self.extras[:same], *(row[2] for row in rows)),
            (*(i for i in self.numbered if i < same), *(same + i for i, row in enumerate(rows) if row[3])),
            self.messages and all(isinstance(item, BaseMessage) for item in items[same:]),
        )

    def unchanged(self, items: Sequence[Any]) -> int:
        """Return how many of the first items are as they were."""
        head = items[: common(tuple(map(type, items)), self.types)]
        contents, extras = self._read(head)
        count = min(common(contents, self.contents), common(extras, self.extras))
        for i in self.numbered:
            same = i >= count or (
                _same_types(contents[i], self.contents[i]) and _same_types(extras[i], self.extras[i])
            )
            if not same:
                return i
        return count

    def _read(self, items: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return the contents and extra fields of items of the types of this snapshot."""
        if self.messages:
            return tuple(map(_fields, items)), tuple(map(_extra_fields, items))
        contents = [getattr(item, "__dict__", item) for item in items]
        return tuple(contents), tuple([getattr(item, "__pydantic_extra__", None) for item in items])


@dataclass(frozen=True, slots=True)
class StoredList:
    """Describe a list value in Redis.

    Attributes:
        ref: its manifest.
        hashes: of its items.
        depth: how many manifests it builds on, its own included.
        snapshot: of the items that this process wrote.
    """

    ref: bytes
    hashes: tuple[bytes, ...]
    depth: int
    snapshot: Snapshot = Snapshot()


@dataclass(slots=True)
class Seen:
    """Hold what one thread has stored: hashes of items, the latest list per (hashed namespace, channel)."""

    items: set[bytes] = field(default_factory=set)
    _lists: OrderedDict[tuple[bytes, str], StoredList] = field(default_factory=OrderedDict)
    _newest: dict[str, StoredList] = field(default_factory=dict)

    def list_before(self, name: bytes, channel: str) -> StoredList | None:
        """Return the latest list of a channel; in a new namespace, that of the same channel in another."""
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
    """Keep the threads used last; safe for several threads of execution.

    Their lists stay in memory (see `Snapshot`), which is why there are few.
    """

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._threads: OrderedDict[str, Seen] = OrderedDict()
        self._noted: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def get(self, thread_id: str) -> Seen | None:
        """Return what is known of a thread, or None."""
        with self._lock:
            seen = self._threads.get(thread_id)
            if seen is not None:
                self._threads.move_to_end(thread_id)
            return seen

    def open(self, thread_id: str) -> Seen:
        """Return what is known of a thread, empty at first."""
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
        """Return whether a register names the thread: that of a run, or for b"" the one of all threads."""
        with self._lock:
            return (thread_id, run) in self._noted

    def note(self, thread_id: str, run: bytes) -> None:
        """Remember that a register names the thread."""
        with self._lock:
            self._noted[(thread_id, run)] = None
            if len(self._noted) > _NOTED:
                self._noted.popitem(last=False)


def common(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Return how many of the first elements are equal."""
    size = min(len(one), len(other))
    if one[:size] == other[:size]:
        return size
    return next(i for i in range(size) if one[i] != other[i])


def _copy_item(item: Any) -> tuple[type | None, Any, Any, bool]:
    try:
        if isinstance(item, BaseMessage):
            if not type(item).__module__.startswith("langchain_core."):
                raise _OpaqueError
            content, numbers = _copy(item.__dict__)
            extra, more = _copy(item.__pydantic_extra__)
            return type(item), content, extra, numbers or more
        content, numbers = _copy(item)
        return type(item), content, None, numbers
    except _OpaqueError:
        return None, None, None, False


def _copy(value: Any) -> tuple[Any, bool]:
    """Return a deep copy of plain data, and whether there are numbers in it."""
    kind = type(value)
    if kind is str or value is None or kind is bytes:
        return value, False
    if kind is int or kind is float or kind is bool:
        return value, True
    if kind is dict:
        pairs = [(key, *_copy(part)) for key, part in value.items()]
        return {key: part for key, part, _ in pairs}, any(
            number or type(key) is not str for key, _, number in pairs
        )
    if kind is list:
        parts = [_copy(part) for part in value]
        return [part for part, _ in parts], any(number for _, number in parts)
    raise _OpaqueError


def _same_types(one: Any, other: Any) -> bool:
    """Return whether two equal values also have the same types."""
    if type(one) is not type(other):
        return False
    if type(one) is dict:
        # Equal keys may differ in type too; compare them in order, which is how they are encoded.
        pairs = zip(one.items(), other.items(), strict=True)
        return all(_same_types(a, c) and _same_types(b, d) for (a, b), (c, d) in pairs)
    return all(map(_same_types, one, other)) if type(one) is list else True
