"""Read checkpoints: one script each; a listing takes one per page, or two with a filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import Checkpoint, CheckpointTuple, DeltaChannelHistory, get_checkpoint_id

from app.persistence.checkpoints import config_of, keep_ahead
from app.persistence.errors import CorruptDataError
from app.persistence.redis.byte_layout import NO_VALUE, Row, unpack_row
from app.persistence.redis.codec import NAME_BYTES
from app.persistence.redis.keys import Address, Layout, decode_id, encode_id
from app.persistence.redis.known_content import StoredList
from app.persistence.redis.maintenance import thread_ids
from app.persistence.redis.operations import Argument, Operation, script
from app.persistence.redis.values import StoredValues, decode_writes

_PAGE = 32
_FILTERED_PAGE = 256


@dataclass(frozen=True, slots=True)
class _Found:
    """Hold one row of a reply: hashed namespace, id, row and write batches."""

    name: bytes
    checkpoint_id: bytes
    data: bytes
    batches: bytes

    @property
    def identity(self) -> bytes:
        return self.name + self.checkpoint_id


class _Reply:
    """Decode a reply of read.lua."""

    def __init__(self, layout: Layout, address: Address, reply: Any) -> None:
        self._layout = layout
        self._address = address
        rows, manifests, items, names = reply or ([], b"", b"", [])
        self.found = [_Found(*rows[i : i + 4]) for i in range(0, len(rows), 4)]
        self.values = StoredValues.of(layout.codec, manifests, items)
        self.names = {names[i]: decode_id(names[i + 1]) for i in range(0, len(names), 2)}
        self._require_key()

    def _require_key(self) -> None:
        """Refuse another key, under which all names hash differently and a thread would look empty."""
        if any(self._layout.namespace(full) != name for name, full in self.names.items()):
            raise CorruptDataError(
                f"Thread {self._address.thread_id!r} was written under another encryption_key, or none.",
                hint="Use that key, or delete the thread.",
            )

    def payload(self, found: _Found) -> tuple[Row, Checkpoint, Any]:
        """Return the row, the checkpoint without values, and the metadata."""
        row, codec = unpack_row(found.data), self._layout.codec
        content = codec.unpack(codec.open(row.payload, found.identity))
        if not (isinstance(content, list) and len(content) == 2):
            raise CorruptDataError("A checkpoint is not what this package writes.")
        return row, content[0], content[1]

    def tuple(self, found: _Found) -> CheckpointTuple:
        """Return a checkpoint as LangGraph asks for it."""
        namespace = self.names[found.name] if self._address.namespace is None else self._address.namespace
        thread_id = self._address.thread_id
        row, checkpoint, metadata = self.payload(found)
        refs = {name: row.refs.get(self._layout.channel(name)) for name in checkpoint["channel_versions"]}
        checkpoint["channel_values"] = {
            name: self.values.value(ref) for name, ref in refs.items() if ref not in (None, NO_VALUE)
        }
        parent = decode_id(row.parent)
        return CheckpointTuple(
            config=config_of(thread_id, namespace, decode_id(found.checkpoint_id)),
            checkpoint=checkpoint,
            metadata=metadata,
            parent_config=config_of(thread_id, namespace, parent) if parent else None,
            pending_writes=decode_writes(self._layout.codec, self.values, found.identity, found.batches),
        )

    def remember(self, found: _Found, channels: Iterable[str]) -> None:
        """Remember what Redis has, so that the next put sends only what is new."""
        refs = unpack_row(found.data).refs
        lists: dict[str, StoredList] = {}
        for name in channels:
            ref = refs[self._layout.channel(name)]
            if self.values.is_list(ref):
                lists[name] = self.values.stored_list(ref)
        self._layout.seen.open(self._address.thread_id).learn(self.values.items, found.name, lists)


def get_tuple(layout: Layout, config: RunnableConfig) -> Operation[CheckpointTuple | None]:
    """Return the checkpoint that a config points at, or None."""
    address = Address.of(config, everywhere=False)
    name = layout.namespace(address.namespace)
    where: list[Argument] = (
        ["one", name, encode_id(address.checkpoint_id)] if address.checkpoint_id else ["latest", name]
    )
    reply = yield from _read(layout, address, where)
    if not reply.found:
        return None
    result = reply.tuple(reply.found[0])
    keep_ahead(result.checkpoint["id"])
    reply.remember(reply.found[0], result.checkpoint["channel_values"])
    return result


def delta_history(
    layout: Layout, config: RunnableConfig, channels: Sequence[str]
) -> Operation[dict[str, DeltaChannelHistory]]:
    """Return per channel the writes of the ancestors, oldest first, and the nearest stored value.

    Takes one round trip.
    """
    address = Address.of(config, everywhere=False)
    name = layout.namespace(address.namespace)
    hashed = {channel: layout.channel(channel) for channel in channels}
    args: list[Argument] = [
        layout.settings.read_ttl,
        name,
        encode_id(address.checkpoint_id),
        *hashed.values(),
    ]
    reply = yield script("history", layout.keys.thread(address.thread_id), *args)
    ancestors, seeds, manifests, items = reply or ([], [], b"", b"")
    values = StoredValues.of(layout.codec, manifests, items)
    ends = {seeds[i]: (seeds[i + 1], seeds[i + 2]) for i in range(0, len(seeds), 3)}
    wanted = set(channels)
    writes = [
        decode_writes(layout.codec, values, name + ancestors[i], ancestors[i + 1], wanted)
        for i in range(0, len(ancestors), 2)
    ]
    result: dict[str, DeltaChannelHistory] = {}
    for channel in channels:
        depth, ref = ends.get(hashed[channel], (len(writes), None))
        path = reversed(writes[:depth])
        result[channel] = {"writes": [write for step in path for write in step if write[1] == channel]}
        if ref is not None:
            result[channel]["seed"] = values.value(ref)
    return result


def _read(
    layout: Layout,
    address: Address,
    where: list[Argument],
    *,
    values: bool = True,
    names: dict[bytes, str] | None = None,
) -> Operation[_Reply]:
    args: list[Argument] = [layout.settings.read_ttl, "1" if values else "0", *where]
    reply = _Reply(layout, address, (yield script("read", layout.keys.thread(address.thread_id), *args)))
    reply.names = names or reply.names
    return reply


class Listing:
    """Page through the checkpoints of one thread, or of all; ask for a page while it is `unfinished`."""

    def __init__(
        self,
        layout: Layout,
        config: RunnableConfig | None,
        matches: Mapping[str, Any] | None,
        before: RunnableConfig | None,
        limit: int | None,
    ) -> None:
        self._layout = layout
        self._matches = matches or {}
        self._before = (get_checkpoint_id(before) if before else None) or ""
        self._left = limit
        self._addresses: list[Address] | None = None if config is None else [Address.of(config)]
        self._cursor: tuple[bytes, bytes] | None = None

    @property
    def unfinished(self) -> bool:
        """Return whether there may be another page."""
        return self._addresses != [] and (self._left is None or self._left > 0)

    def page(self) -> Operation[list[CheckpointTuple]]:
        """Return the next page, which may be empty."""
        if self._addresses is None:
            self._addresses = [Address(thread, None, "") for thread in (yield from thread_ids(self._layout))]
        if not self._addresses:
            return []
        address = self._addresses[0]
        found = yield from (self._one(address) if address.checkpoint_id else self._page(address))
        if self._cursor is None:
            self._addresses = self._addresses[1:]
        if self._left is not None:
            found = found[: self._left]
            self._left -= len(found)
        return found

    def _one(self, address: Address) -> Operation[list[CheckpointTuple]]:
        if self._before and address.checkpoint_id >= self._before:
            return []
        where: list[Argument] = ["one", self._name(address), encode_id(address.checkpoint_id)]
        reply = yield from _read(self._layout, address, where)
        return [reply.tuple(found) for found in self._fitting(reply)]

    def _page(self, address: Address) -> Operation[list[CheckpointTuple]]:
        """Read a page and set the cursor; with a filter, read the values of those that fit only."""
        start, last_name = self._cursor or (encode_id(self._before), b"\xff" * NAME_BYTES)
        size = _FILTERED_PAGE if self._matches else min(_PAGE, self._left or _PAGE)
        where: list[Argument] = ["page", self._name(address), size, start, last_name]
        reply = yield from _read(self._layout, address, where, values=not self._matches)
        last = reply.found[-1] if len(reply.found) == size else None
        self._cursor = (last.checkpoint_id, last.name) if last else None
        if not self._matches:
            return [reply.tuple(found) for found in reply.found]
        fitting, tuples = self._fitting(reply)[: self._left], []
        for i in range(0, len(fitting), _PAGE):
            pairs = [part for one in fitting[i : i + _PAGE] for part in (one.name, one.checkpoint_id)]
            full = yield from _read(self._layout, address, ["these", *pairs], names=reply.names)
            tuples += [full.tuple(found) for found in full.found]
        return tuples

    def _name(self, address: Address) -> bytes:
        return b"" if address.namespace is None else self._layout.namespace(address.namespace)

    def _fitting(self, reply: _Reply) -> list[_Found]:
        wanted = self._matches.items()
        metadata = ((found, reply.payload(found)[2]) for found in reply.found)
        return [found for found, fields in metadata if all(fields.get(k) == v for k, v in wanted)]
