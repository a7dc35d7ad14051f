"""Lay out the bytes of a thread in Redis. The Lua scripts read the same layouts.

Fields of the hash `{prefix:thread}:h` (N = 8-byte hashed name of a namespace):

    e             the epoch, also a member of the sorted set: both keys or none
    c N id        row of a checkpoint
    w N id        write batches of a checkpoint, in order of arrival
    v ref         manifest of one channel value; refs are 8 random bytes, a manifest never changes
    i hash        item of a list, or any larger value; named by the hash of its content, stored once
    s             number of fields after the last sweep

Members of the sorted set, all of score 0: `!` epoch, `n` N namespace, `c` N id.
Integers are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from app.persistence.errors import CorruptDataError
from app.persistence.redis.codec import ITEM_BYTES, NAME_BYTES

REF_BYTES = 8
NO_VALUE = bytes(REF_BYTES)
"""The ref of a channel that has a version but no value."""

_SLOT_BYTES = 2 * NAME_BYTES + REF_BYTES
"""One channel of a row: hashed channel, hashed (namespace, channel, version), ref of the value."""

_FORMAT = b"\x01"
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Row:
    """Hold a checkpoint: its parent's id, the refs by hashed channel, and the rest, sealed."""

    parent: bytes
    refs: dict[bytes, bytes]
    payload: bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """Say where one channel value is.

    Attributes:
        kind: p: sealed value inline; r: one item; l: items of a list; d: first `keep` items of list `base`,
            and more; L, D: the same of a list inside a `_DeltaSnapshot`; m: a dict, whose sealed payload has
            a manifest per key.
    """

    kind: bytes
    hashes: tuple[bytes, ...] = ()
    inline: bytes = b""
    base: bytes = b""
    keep: int = 0
    bases: tuple[bytes, ...] = ()

    def pack(self) -> bytes:
        """Return the kind, then what the kind needs."""
        if self.kind == b"m":
            return self.kind + pack_bundle(self.bases, self.hashes, self.inline)
        base = self.base + struct.pack(">I", self.keep) if self.base else b""
        return self.kind + base + b"".join(self.hashes) + self.inline


def split(data: bytes, size: int) -> tuple[bytes, ...]:
    """Return equal pieces of `size` bytes."""
    return tuple(data[i : i + size] for i in range(0, len(data), size))


def unpack_pairs(data: bytes, key_bytes: int) -> dict[bytes, bytes]:
    """Read key, 4-byte length, value, ... of a script's reply; raises `CorruptDataError`."""
    pairs, at = {}, 0
    try:
        while at < len(data):
            start = at + key_bytes
            key, at = data[at:start], start + 4 + _LENGTH.unpack_from(data, start)[0]
            pairs[key] = data[start + 4 : at]
    except struct.error as error:
        raise CorruptDataError(f"A reply is cut short: {error}.") from error
    return pairs


def row_head(parent: bytes, run: bytes, needs: Sequence[bytes]) -> bytes:
    """Return the start of a row; the script adds the slots: only Redis knows refs of unchanged channels."""
    return b"".join(
        [_FORMAT, struct.pack(">H", len(parent)), parent, run, struct.pack(">H", len(needs)), *needs]
    )


def unpack_row(data: bytes) -> Row:
    """Undo what the script stored; raises `CorruptDataError`."""
    try:
        if data[:1] != _FORMAT:
            raise CorruptDataError(f"A checkpoint has the unknown format {data[:1]!r}.")
        (size,) = struct.unpack_from(">H", data, 1)
        parent, at = data[3 : 3 + size], 3 + size + NAME_BYTES
        (needs,) = struct.unpack_from(">H", data, at)
        at += 2 + needs * NAME_BYTES
        (count,) = struct.unpack_from(">H", data, at)
        end = at + 2 + count * _SLOT_BYTES
        slots = split(data[at + 2 : end], _SLOT_BYTES)
        return Row(parent, {slot[:NAME_BYTES]: slot[-REF_BYTES:] for slot in slots}, data[end:])
    except (struct.error, TypeError) as error:
        raise CorruptDataError(f"A checkpoint is cut short: {error}.") from error


def unpack_manifest(data: bytes) -> Manifest:
    """Undo `Manifest.pack`; raises `CorruptDataError`."""
    kind, rest = data[:1], data[1:]
    if kind == b"p":
        return Manifest(kind, inline=rest)
    if kind == b"m":
        return Manifest(kind, inline=bundle_payload(rest))
    if kind in b"rlL":
        return Manifest(kind, split(rest, ITEM_BYTES))
    if kind in b"dD" and len(rest) >= REF_BYTES + 4:
        (keep,) = struct.unpack_from(">I", rest, REF_BYTES)
        return Manifest(kind, split(rest[REF_BYTES + 4 :], ITEM_BYTES), base=rest[:REF_BYTES], keep=keep)
    raise CorruptDataError(f"A channel value has the unknown kind {kind!r}.")


def pack_bundle(refs: Sequence[bytes], hashes: Sequence[bytes], payload: bytes) -> bytes:
    """Return the refs and hashes that a sealed payload refers to, in the open, then the payload."""
    count = struct.pack(">I", len(hashes))
    return b"".join([struct.pack(">H", len(refs)), *refs, count, *hashes, payload])


def bundle_payload(data: bytes) -> bytes:
    """Return the payload of a bundle; raises `CorruptDataError`."""
    try:
        (refs,) = struct.unpack_from(">H", data)
        start = 2 + refs * REF_BYTES
        (hashes,) = struct.unpack_from(">I", data, start)
        return data[start + 4 + hashes * ITEM_BYTES :]
    except struct.error as error:
        raise CorruptDataError(f"A bundle is cut short: {error}.") from error


def pack_batch(channels: Sequence[bytes], bundle: bytes) -> bytes:
    """Return one call of put_writes: length, hashed names of the channels, and the bundle of the writes."""
    body = b"".join([struct.pack(">H", len(channels)), *channels, bundle])
    return struct.pack(">I", len(body)) + body


def unpack_batches(data: bytes) -> list[bytes]:
    """Return the sealed payloads of the batches, in order of arrival; raises `CorruptDataError`."""
    payloads, at = [], 0
    try:
        while at < len(data):
            (size,) = struct.unpack_from(">I", data, at)
            body = data[at + 4 : at + 4 + size]
            (channels,) = struct.unpack_from(">H", body)
            payloads.append(bundle_payload(body[2 + channels * NAME_BYTES :]))
            at += 4 + size
    except struct.error as error:
        raise CorruptDataError(f"Writes are cut short: {error}.") from error
    return payloads
