"""Operations that store checkpoints and writes: one script each, and one more when Redis lost something."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
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

from app.persistence.errors import PersistenceError
from app.persistence.redis.byte_layout import NO_VALUE, REF_BYTES, pack_batch, pack_bundle, row_head
from app.persistence.redis.encryption import NAME_BYTES
from app.persistence.redis.keys import encode_id
from app.persistence.redis.known_content import Seen, StoredList
from app.persistence.redis.operations import Argument, Call, Operation, command
from app.persistence.redis.scripts import load
from app.persistence.redis.thread_layout import Layout, Place
from app.persistence.redis.value_encoder import Encoder, references
from app.persistence.threads.checkpoints import config_of

_EPOCH_BYTES = 8
_UNCHANGED = b"????????"


def put(
    layout: Layout,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
) -> Operation[RunnableConfig]:
    """Store a checkpoint; returns the config that points at it."""
    place = Place.of(config)
    full_metadata = get_checkpoint_metadata(config, metadata)
    run_id = full_metadata.get("run_id")
    run = layout.run(run_id) if run_id else bytes(NAME_BYTES)
    yield from _note(layout, place.thread_id, run)
    for known in (layout.seen.get(place.thread_id), None):
        message = _PutMessage(layout, place, checkpoint, full_metadata, new_versions, run, known)
        status, created = yield message.call
        if status == b"ok":
            layout.seen.open(place.thread_id).learn(message.items, message.name, message.lists)
            yield from _note_again(layout, place.thread_id, created)
            return config_of(place.thread_id, place.namespace or "", checkpoint["id"])
        layout.seen.forget(place.thread_id)
    raise PersistenceError(f"Redis refused a complete checkpoint of thread {place.thread_id!r}.")


class _PutMessage:
    """The arguments of put.lua, and what Redis has once it is done."""

    def __init__(
        self,
        layout: Layout,
        place: Place,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        run: bytes,
        known: Seen | None,
    ) -> None:
        self._layout = layout
        self.name = layout.namespace(place.namespace or "")
        self.lists: dict[str, StoredList] = {}
        self._encoder = Encoder(layout.codec, known)
        self._manifests: list[bytes] = []
        slots = self._slots(place.namespace or "", checkpoint, new_versions)
        rest = {key: value for key, value in checkpoint.items() if key != "channel_values"}
        identity = self.name + encode_id(checkpoint["id"])
        payload = layout.codec.pack([rest, metadata])
        layout.codec.check(payload)
        head = row_head(encode_id(place.checkpoint_id), run, _needs(layout, checkpoint, metadata))
        arguments: list[Argument] = [
            os.urandom(_EPOCH_BYTES),
            layout.settings.ttl,
            self.name,
            encode_id(place.namespace or ""),
            encode_id(checkpoint["id"]),
            head,
            slots,
            layout.codec.secrecy.seal(payload, identity),
            "1" if layout.settings.shallow else "0",
            len(self._manifests) // 2,
            *self._manifests,
            *self._encoder.flat(),
        ]
        script = load("put", "common", "collect")
        self.call = Call(script=script, keys=layout.keys.thread(place.thread_id), args=arguments)

    @property
    def items(self) -> Iterable[bytes]:
        """Hashes of the items that this sends."""
        return self._encoder.items

    def _slots(self, namespace: str, checkpoint: Checkpoint, new_versions: ChannelVersions) -> bytes:
        values = checkpoint["channel_values"]
        slots: list[bytes] = []
        for name, version in checkpoint["channel_versions"].items():
            if new_versions.get(name) != version:
                ref = _UNCHANGED
            elif name in values:
                ref = self._store(name, values[name])
            else:
                ref = NO_VALUE
            slots += (self._layout.slot(namespace, name, version), ref)
        return b"".join(slots)

    def _store(self, channel: str, value: Any) -> bytes:
        ref = os.urandom(REF_BYTES)
        encoded = self._encoder.encode(value, self.name, channel)
        manifest = encoded.manifest
        if manifest.inline and self._layout.codec.secrecy.encrypts:
            manifest = replace(manifest, inline=self._layout.codec.secrecy.seal(manifest.inline, ref))
        if encoded.full:
            self.lists[channel] = encoded.stored(ref)
        self._manifests += [ref, manifest.pack()]
        return ref


def _needs(layout: Layout, checkpoint: Checkpoint, metadata: CheckpointMetadata) -> list[bytes]:
    """Delta channels whose value is not in this checkpoint but in the writes of its ancestors."""
    counters = metadata.get("counters_since_delta_snapshot", {})
    return [layout.channel(name) for name in counters if name not in checkpoint["channel_values"]]


def put_writes(
    layout: Layout, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
) -> Operation[None]:
    """Store the writes of a task. Which of two writes with one index counts is decided when they are read."""
    place = Place.of(config)
    if not place.checkpoint_id:
        raise ValueError("The config of put_writes has no checkpoint_id.")
    yield from _note(layout, place.thread_id, bytes(NAME_BYTES))
    for known in (layout.seen.get(place.thread_id), None):
        encoder = Encoder(layout.codec, known)
        status, created = yield _writes_call(layout, place, writes, task_id, task_path, encoder)
        if status == b"ok":
            layout.seen.open(place.thread_id).learn(encoder.items, b"", {})
            yield from _note_again(layout, place.thread_id, created)
            return
        layout.seen.forget(place.thread_id)
    raise PersistenceError(f"Redis refused complete writes of thread {place.thread_id!r}.")


def _writes_call(
    layout: Layout,
    place: Place,
    writes: Sequence[tuple[str, Any]],
    task_id: str,
    task_path: str,
    encoder: Encoder,
) -> Call:
    name = layout.namespace(place.namespace or "")
    identity = name + encode_id(place.checkpoint_id)
    manifests = [encoder.encode(value, name, channel, chained=False).manifest for channel, value in writes]
    entries = [
        (WRITES_IDX_MAP.get(channel, index), encode_id(channel), manifest.pack())
        for index, ((channel, _), manifest) in enumerate(zip(writes, manifests, strict=True))
    ]
    plain = ormsgpack.packb((encode_id(task_id), encode_id(task_path), entries))
    bundle = pack_bundle(*references(manifests), layout.codec.secrecy.seal(plain, b"w" + identity))
    channels = [layout.channel(channel) for channel in dict.fromkeys(channel for channel, _ in writes)]
    arguments: list[Argument] = [
        os.urandom(_EPOCH_BYTES),
        layout.settings.ttl,
        name,
        encode_id(place.checkpoint_id),
        pack_batch(channels, bundle),
        *encoder.flat(),
    ]
    return Call(script=load("put_writes", "common"), keys=layout.keys.thread(place.thread_id), args=arguments)


def _note(layout: Layout, thread_id: str, run: bytes) -> Operation[None]:
    """Before a thread is written, register it and its run: a register may name too much, never too little."""
    if not layout.seen.is_noted(thread_id, b""):
        yield command("ZADD", layout.keys.threads, 0, encode_id(thread_id))
        layout.seen.note(thread_id, b"")
    if run != bytes(NAME_BYTES) and not layout.seen.is_noted(thread_id, run):
        key = layout.keys.run(run)
        yield command("SADD", key, encode_id(thread_id))
        if layout.settings.ttl:
            yield command("PEXPIRE", key, layout.settings.ttl)
        layout.seen.note(thread_id, run)


def _note_again(layout: Layout, thread_id: str, created: bytes) -> Operation[None]:
    """Whoever lists threads drops the missing ones from the register; undo that for one that came back."""
    if created == b"created":
        yield command("ZADD", layout.keys.threads, 0, encode_id(thread_id))
