"""Store checkpoints and writes: one script each, and one more when Redis lost something."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ormsgpack
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    get_checkpoint_metadata,
)

from app.persistence.checkpoints import config_of
from app.persistence.errors import PersistenceError
from app.persistence.redis.byte_layout import NO_VALUE, REF_BYTES, pack_batch, pack_bundle, row_head
from app.persistence.redis.codec import NAME_BYTES
from app.persistence.redis.keys import Address, Layout, encode_id
from app.persistence.redis.known_content import Seen, StoredList
from app.persistence.redis.operations import Call, Operation, command, script
from app.persistence.redis.values import ValueEncoder, references

_EPOCH_BYTES = 8
_NO_RUN = bytes(NAME_BYTES)
_UNCHANGED = b"????????"


@dataclass(frozen=True, slots=True)
class _Sending:
    """Hold a call, and what Redis has once it is done: items by hash, and lists by channel."""

    call: Call
    items: Iterable[bytes]
    lists: Mapping[str, StoredList]


@dataclass(frozen=True, slots=True)
class _Step:
    """Hold one checkpoint to store."""

    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    new_versions: ChannelVersions
    run: bytes


def put(
    layout: Layout,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
    owner: str | None = None,
) -> Operation[RunnableConfig]:
    """Store a checkpoint, if the thread's lock is that of `owner`; return the config that points at it."""
    address = Address.of(config)
    full = get_checkpoint_metadata(config, metadata)
    run_id = full.get("run_id")
    step = _Step(checkpoint, full, new_versions, layout.run(run_id) if run_id else _NO_RUN)
    yield from _register(layout, address.thread_id, step.run)
    for known in (layout.seen.get(address.thread_id), None):
        sending = _checkpoint_call(layout, address, step, known)
        if (yield from _send(layout, address, sending, owner)):
            return config_of(address.thread_id, address.namespace or "", checkpoint["id"])
    raise PersistenceError(f"Redis refused a complete checkpoint of thread {address.thread_id!r}.")


def put_writes(
    layout: Layout,
    config: RunnableConfig,
    writes: Sequence[tuple[str, Any]],
    task: tuple[str, str],
    owner: str | None = None,
) -> Operation[None]:
    """Store the writes of a task (id and path). Reading decides which of two writes with one index counts."""
    address = Address.of(config)
    if not address.checkpoint_id:
        raise ValueError("The config of put_writes has no checkpoint_id.")
    yield from _register(layout, address.thread_id, _NO_RUN)
    for known in (layout.seen.get(address.thread_id), None):
        sending = _writes_call(layout, address, writes, task, known)
        if (yield from _send(layout, address, sending, owner)):
            return
    raise PersistenceError(f"Redis refused complete writes of thread {address.thread_id!r}.")


def _send(layout: Layout, address: Address, sending: _Sending, owner: str | None) -> Operation[bool]:
    """Send a call; return False, and forget the thread, if Redis lost something that it refers to."""
    call = sending.call
    if owner is not None:
        key = layout.keys.lock(address.thread_id)
        call = replace(call, keys=(*call.keys, key), args=(*call.args, owner))
    status, created = yield call
    if status != b"ok":
        layout.seen.forget(address.thread_id)
        return False
    name = layout.namespace(address.namespace)
    layout.seen.open(address.thread_id).learn(sending.items, name, sending.lists)
    if created == b"created":  # whoever listed threads may have dropped it as missing
        yield command("ZADD", layout.keys.threads, 0, encode_id(address.thread_id))
    return True


def _checkpoint_call(layout: Layout, address: Address, step: _Step, known: Seen | None) -> _Sending:
    namespace, identity = address.namespace or "", encode_id(step.checkpoint["id"])
    name = layout.namespace(namespace)
    values = _ChannelValues(layout, name, known)
    slots = b"".join(
        layout.slot(namespace, channel, version) + values.ref(step, channel, version)
        for channel, version in step.checkpoint["channel_versions"].items()
    )
    rest = {key: value for key, value in step.checkpoint.items() if key != "channel_values"}
    payload = layout.codec.pack([rest, step.metadata])
    layout.codec.check(payload)
    call = script(
        "put",
        layout.keys.thread(address.thread_id),
        os.urandom(_EPOCH_BYTES),
        layout.settings.ttl,
        name,
        encode_id(namespace),
        identity,
        row_head(encode_id(address.checkpoint_id), step.run, _replayed(layout, step)),
        slots,
        layout.codec.seal(payload, name + identity),
        "1" if layout.settings.shallow else "0",
        len(values.manifests) // 2,
        *values.manifests,
        *values.encoder.flat(),
    )
    return _Sending(call, values.encoder.items, values.lists)


class _ChannelValues:
    """Collect the values of one checkpoint: ref, manifest, ref, manifest, ..., and its lists by channel."""

    def __init__(self, layout: Layout, name: bytes, known: Seen | None) -> None:
        self._codec, self._name = layout.codec, name
        self.encoder = ValueEncoder(layout.codec, known)
        self.manifests: list[bytes] = []
        self.lists: dict[str, StoredList] = {}

    def ref(self, step: _Step, channel: str, version: Any) -> bytes:
        """Return the ref of a channel's value, and collect the value if it is new."""
        if step.new_versions.get(channel) != version:
            return _UNCHANGED
        if channel not in step.checkpoint["channel_values"]:
            return NO_VALUE
        ref = os.urandom(REF_BYTES)
        encoded = self.encoder.encode(step.checkpoint["channel_values"][channel], self._name, channel)
        manifest = encoded.manifest
        if manifest.inline and self._codec.encrypts:
            manifest = replace(manifest, inline=self._codec.seal(manifest.inline, ref))
        if encoded.full:
            self.lists[channel] = encoded.stored(ref)
        self.manifests += [ref, manifest.pack()]
        return ref


def _replayed(layout: Layout, step: _Step) -> list[bytes]:
    """Return the delta channels whose value is not in this checkpoint but in the writes of its ancestors."""
    counters = step.metadata.get("counters_since_delta_snapshot", {})
    return [layout.channel(name) for name in counters if name not in step.checkpoint["channel_values"]]


def _writes_call(
    layout: Layout,
    address: Address,
    writes: Sequence[tuple[str, Any]],
    task: tuple[str, str],
    known: Seen | None,
) -> _Sending:
    encoder = ValueEncoder(layout.codec, known)
    name = layout.namespace(address.namespace)
    identity = name + encode_id(address.checkpoint_id)
    manifests = [encoder.encode(value, name, channel, chained=False).manifest for channel, value in writes]
    entries = [
        (WRITES_IDX_MAP.get(channel, index), encode_id(channel), manifest.pack())
        for index, ((channel, _), manifest) in enumerate(zip(writes, manifests, strict=True))
    ]
    plain = ormsgpack.packb((*map(encode_id, task), entries))
    bundle = pack_bundle(*references(manifests), layout.codec.seal(plain, b"w" + identity))
    channels = [layout.channel(channel) for channel in dict.fromkeys(channel for channel, _ in writes)]
    call = script(
        "put_writes",
        layout.keys.thread(address.thread_id),
        os.urandom(_EPOCH_BYTES),
        layout.settings.ttl,
        name,
        encode_id(address.checkpoint_id),
        pack_batch(channels, bundle),
        *encoder.flat(),
    )
    return _Sending(call, encoder.items, {})


def _register(layout: Layout, thread_id: str, run: bytes) -> Operation[None]:
    """Register a thread and its run before writing: a register may name too much, never too little."""
    if not layout.seen.is_noted(thread_id, b""):
        yield command("ZADD", layout.keys.threads, 0, encode_id(thread_id))
        layout.seen.note(thread_id, b"")
    if run != _NO_RUN and not layout.seen.is_noted(thread_id, run):
        key = layout.keys.run(run)
        yield command("SADD", key, encode_id(thread_id))
        if layout.settings.ttl:
            yield command("PEXPIRE", key, layout.settings.ttl)
        layout.seen.note(thread_id, run)
