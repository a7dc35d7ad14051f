"""Operations that read checkpoints: one script each; a listing takes one, or with a filter two, per page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ormsgpack
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    Checkpoint,
    CheckpointTuple,
    DeltaChannelHistory,
    PendingWrite,
    writes_sort_key,
)

from app.persistence.errors import CorruptDataError
from app.persistence.redis.byte_layout import NO_VALUE, Row, unpack_batches, unpack_manifest, unpack_row
from app.persistence.redis.keys import decode_id, encode_id
from app.persistence.redis.known_content import StoredList
from app.persistence.redis.operations import Argument, Call, Operation
from app.persistence.redis.scripts import load
from app.persistence.redis.thread_layout import Layout, Place
from app.persistence.redis.value_decoder import Values
from app.persistence.threads.checkpoints import config_of

PAGE = 32
_FILTERED_PAGE = 256


@dataclass(frozen=True, slots=True)
class _Found:
    """One row of a reply: hashed namespace, id, row and write batches."""

    name: bytes
    checkpoint_id: bytes
    data: bytes
    batches: bytes

    @property
    def identity(self) -> bytes:
        return self.name + self.checkpoint_id


class _Reply:
    """A reply of read.lua."""

    def __init__(self, layout: Layout, place: Place, reply: Any) -> None:
        self._layout = layout
        self._place = place
        rows, manifests, items, names = reply or ([], b"", b"", [])
        self.found = [_Found(*rows[i : i + 4]) for i in range(0, len(rows), 4)]
        self.values = Values.of(layout.codec, manifests, items)
        self._names = {names[i]: decode_id(names[i + 1]) for i in range(0, len(names), 2)}
        self._require_key()

    def _require_key(self) -> None:
        """Names are hashed under the key: under another one a thread would look empty."""
        if any(self._layout.namespace(full) != name for name, full in self._names.items()):
            raise CorruptDataError(
                f"Thread {self._place.thread_id!r} was written under another encryption_key, or none.",
                hint="Use that key, or delete the thread.",
            )

    def payload(self, found: _Found) -> tuple[Row, Checkpoint, Any]:
        """The row, the checkpoint without values, and the metadata."""
        row = unpack_row(found.data)
        opened = self._layout.codec.secrecy.open(row.payload, found.identity)
        content = self._layout.codec.unpack(opened)
        if not (isinstance(content, list) and len(content) == 2):
            raise CorruptDataError("A checkpoint is not what this package writes.")
        return row, content[0], content[1]

    def tuple(self, found: _Found) -> CheckpointTuple:
        """What LangGraph asks for."""
        namespace = self._names[found.name] if self._place.namespace is None else self._place.namespace
        thread_id = self._place.thread_id
        row, checkpoint, metadata = self.payload(found)
        refs = {slot.channel: slot.ref for slot in row.slots}
        channels = {name: self._layout.channel(name) for name in checkpoint["channel_versions"]}
        checkpoint["channel_values"] = {
            name: self.values.value(refs[channel])
            for name, channel in channels.items()
            if refs.get(channel, NO_VALUE) != NO_VALUE
        }
        parent = decode_id(row.parent)
        return CheckpointTuple(
            config=config_of(thread_id, namespace, decode_id(found.checkpoint_id)),
            checkpoint=checkpoint,
            metadata=metadata,
            parent_config=config_of(thread_id, namespace, parent) if parent else None,
            pending_writes=_writes(self._layout, self.values, found.identity, found.batches),
        )

    def remember(self, found: _Found, channels: Iterable[str]) -> None:
        """Note what Redis has, so that the next put sends only what is new."""
        refs = {slot.channel: slot.ref for slot in unpack_row(found.data).slots}
        lists: dict[str, StoredList] = {}
        for name in channels:
            ref = refs[self._layout.channel(name)]
            if self.values.is_list(ref):
                lists[name] = self.values.stored_list(ref)
        self._layout.seen.open(self._place.thread_id).learn(self.values.items, found.name, lists)


def get_tuple(layout: Layout, config: RunnableConfig) -> Operation[CheckpointTuple | None]:
    """The checkpoint that a config points at, or None."""
    place = _in_one_namespace(Place.of(config))
    name = layout.namespace(place.namespace or "")
    where: list[Argument] = (
        ["one", name, encode_id(place.checkpoint_id)] if place.checkpoint_id else ["latest", name]
    )
    reply = yield from _read(layout, place, where)
    if not reply.found:
        return None
    result = reply.tuple(reply.found[0])
    reply.remember(reply.found[0], result.checkpoint["channel_values"])
    return result


def list_page(
    layout: Layout,
    config: RunnableConfig,
    matches: Mapping[str, Any] | None,
    before: str,
    limit: int | None,
    cursor: tuple[bytes, bytes] | None,
) -> Operation[tuple[list[CheckpointTuple], tuple[bytes, bytes] | None]]:
    """A page of a thread's checkpoints, newest first, and the next page's cursor (None: that was all)."""
    place = Place.of(config)
    name = b"" if place.namespace is None else layout.namespace(place.namespace)
    if place.checkpoint_id:
        if before and place.checkpoint_id >= before:
            return [], None
        reply = yield from _read(layout, place, ["one", name, encode_id(place.checkpoint_id)])
        chosen = [found for found in reply.found if _fits(reply.payload(found)[2], matches)]
        return [reply.tuple(found) for found in chosen], None
    start, last_name = cursor or (encode_id(before), b"\xff" * 8)
    size = _FILTERED_PAGE if matches else min(PAGE, PAGE if limit is None else limit)
    reply = yield from _read(layout, place, ["page", name, size, start, last_name], values=not matches)
    found = reply.found
    following = (found[-1].checkpoint_id, found[-1].name) if len(found) == size else None
    if not matches:
        return [reply.tuple(one) for one in found], following
    fitting = [one for one in found if _fits(reply.payload(one)[2], matches)]
    tuples: list[CheckpointTuple] = []
    for i in range(0, len(fitting[:limit]), PAGE):
        pairs = [part for one in fitting[:limit][i : i + PAGE] for part in (one.name, one.checkpoint_id)]
        full = yield from _read(layout, place, ["these", *pairs], names=reply)
        tuples += [full.tuple(one) for one in full.found]
    return tuples, following


def delta_history(
    layout: Layout, config: RunnableConfig, channels: Sequence[str]
) -> Operation[dict[str, DeltaChannelHistory]]:
    """Per channel the writes of the ancestors, oldest first, and the nearest stored value: one round trip."""
    place = _in_one_namespace(Place.of(config))
    name = layout.namespace(place.namespace or "")
    hashed = {channel: layout.channel(channel) for channel in channels}
    args: list[Argument] = [layout.settings.read_ttl, name, encode_id(place.checkpoint_id), *hashed.values()]
    script, keys = load("history", "common"), layout.keys.thread(place.thread_id)
    reply = yield Call(script=script, keys=keys, args=args)
    ancestors, seeds, manifests, items = reply or ([], [], b"", b"")
    values = Values.of(layout.codec, manifests, items)
    ends = {seeds[i]: (seeds[i + 1], seeds[i + 2]) for i in range(0, len(seeds), 3)}
    wanted = set(channels)
    writes = [
        _writes(layout, values, name + ancestors[i], ancestors[i + 1], wanted)
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
    place: Place,
    where: list[Argument],
    *,
    values: bool = True,
    names: _Reply | None = None,
) -> Operation[_Reply]:
    args: list[Argument] = [layout.settings.read_ttl, "1" if values else "0", *where]
    call = Call(script=load("read", "common"), keys=layout.keys.thread(place.thread_id), args=args)
    reply = _Reply(layout, place, (yield call))
    if names is not None:
        reply._names = names._names
    return reply


def _in_one_namespace(place: Place) -> Place:
    return Place(place.thread_id, place.namespace or "", place.checkpoint_id)


def _fits(metadata: Mapping[str, Any], matches: Mapping[str, Any] | None) -> bool:
    return all(metadata.get(key) == value for key, value in (matches or {}).items())


def _writes(
    layout: Layout, values: Values, identity: bytes, batches: bytes, only: set[str] | None = None
) -> list[PendingWrite]:
    """Writes in live order. Of one task and index the first counts, of special ones the last."""
    kept: dict[tuple[str, int], tuple[str, str, bytes]] = {}
    for task_id, path, index, channel, manifest in _entries(layout, identity, batches):
        if index < 0 or (task_id, index) not in kept:
            kept[(task_id, index)] = (path, channel, manifest)
    ordered = sorted(kept.items(), key=lambda pair: writes_sort_key(pair[1][0], *pair[0]))
    return [
        (task_id, channel, _write_value(values, manifest))
        for (task_id, _), (_, channel, manifest) in ordered
        if only is None or channel in only
    ]


def _entries(layout: Layout, identity: bytes, batches: bytes) -> Iterator[tuple[str, str, int, str, bytes]]:
    for sealed in unpack_batches(batches):
        try:
            plain = layout.codec.secrecy.open(sealed, b"w" + identity)
            task_id, path, entries = ormsgpack.unpackb(plain)
            for index, channel, manifest in entries:
                yield decode_id(task_id), decode_id(path), int(index), decode_id(channel), manifest
        except (ValueError, TypeError, AttributeError) as error:
            raise CorruptDataError(f"Stored writes cannot be decoded: {error}.") from error


def _write_value(values: Values, data: bytes) -> Any:
    return values.expand(unpack_manifest(data))
