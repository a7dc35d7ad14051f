"""Channel values to manifests and items.

A list is stored item by item under the hash of its content, and said relative to the last list of that
channel, so that a conversation of n messages costs O(n) whatever the number of checkpoints. That holds for
writes too, for lists in a dict (the input of a subgraph), and from one namespace to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from app.persistence.redis.byte_layout import Manifest
from app.persistence.redis.codec import Codec
from app.persistence.redis.keys import encode_id
from app.persistence.redis.known_content import Seen, StoredList
from app.persistence.redis.snapshot import Snapshot

INLINE_BYTES = 256
"""Values up to this size stay in their manifest."""

_SCALARS = (int, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Encoded:
    """A manifest whose payload is not sealed yet; for a list, what a later list can be said relative to."""

    manifest: Manifest
    full: tuple[bytes, ...] = ()
    snapshot: Snapshot | None = None
    depth: int = 1

    def stored(self, ref: bytes) -> StoredList:
        """The list once it is in Redis under `ref`."""
        return StoredList(ref, self.full, self.depth, self.snapshot or Snapshot())


class Encoder:
    """Encodes the values of one call; `items` are those that Redis is not known to have, by hash.

    Args:
        codec: serializer and key.
        known: what the thread is known to have stored.
    """

    def __init__(self, codec: Codec, known: Seen | None) -> None:
        self._codec = codec
        self._known = known or Seen()
        self.items: dict[bytes, bytes] = {}

    def flat(self) -> list[bytes]:
        """Arguments of a script: hash, item, hash, item, ..."""
        return [part for pair in self.items.items() for part in pair]

    def encode(self, value: Any, name: bytes, channel: str, *, chained: bool = True) -> Encoded:
        """Encode a value of a channel; `name` is the hashed namespace.

        A list that others will be said relative to is `chained`: it stops the chain when that grows long.
        """
        items = value.value if isinstance(value, _DeltaSnapshot) else value
        if type(items) is list and not all(type(item) in _SCALARS for item in items):
            listed = self._list(items, self._known.list_before(name, channel), chained)
            if listed is not None:
                return _in_delta(listed) if isinstance(value, _DeltaSnapshot) else listed
        if type(value) is dict and any(type(part) is list for part in value.values()):
            manifest = self._dict(value, name)
            if manifest is not None:
                return Encoded(manifest)
        whole = self._codec.pack(value)
        if len(whole) > INLINE_BYTES:
            return Encoded(Manifest(b"r", (self._add(whole),)))
        self._codec.check(whole)
        return Encoded(Manifest(b"p", inline=whole))

    def _list(self, items: list[Any], before: StoredList | None, chained: bool) -> Encoded | None:
        """Item by item, unless the list is small."""
        known = before.snapshot if before else Snapshot()
        same = known.unchanged(items)
        packed = [self._codec.pack(item) for item in items[same:]]
        if same == 0 and sum(map(len, packed)) <= INLINE_BYTES:
            return None
        taken: tuple[bytes, ...] = before.hashes[:same] if before else ()
        full = (*taken, *map(self._add, packed))
        manifest, depth = _shorten(full, before, chained)
        return Encoded(manifest, full, known.extended(same, items) if chained else None, depth)

    def _dict(self, value: dict[Any, Any], name: bytes) -> Manifest | None:
        """Key by key, if a list in it is worth it."""
        if not all(type(key) is str for key in value):
            return None
        parts = {key: self.encode(part, name, key, chained=False).manifest for key, part in value.items()}
        if not any(part.kind in b"ld" for part in parts.values()):
            return None
        payload = ormsgpack.packb([(encode_id(key), part.pack()) for key, part in parts.items()])
        bases, hashes = references(list(parts.values()))
        return Manifest(b"m", hashes, payload, bases=bases)

    def _add(self, packed: bytes) -> bytes:
        digest = self._codec.secrecy.item(packed)
        if digest not in self._known.items and digest not in self.items:
            self._codec.check(packed)
            self.items[digest] = self._codec.secrecy.seal(packed, digest)
        return digest


def _in_delta(listed: Encoded) -> Encoded:
    manifest = listed.manifest
    return replace(listed, manifest=replace(manifest, kind=manifest.kind.upper()))


def references(manifests: list[Manifest]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The refs and the hashes that manifests name, each once."""
    bases = [base for manifest in manifests for base in (*manifest.bases, manifest.base) if base]
    hashes = [digest for manifest in manifests for digest in manifest.hashes]
    return tuple(dict.fromkeys(bases)), tuple(dict.fromkeys(hashes))


def _shorten(full: tuple[bytes, ...], before: StoredList | None, chained: bool) -> tuple[Manifest, int]:
    """Say a list relative to the list before it, and the depth of the chain that this makes.

    A full manifest comes every 32 + n/16 versions: its 16 n bytes are paid for by the versions in between, so
    the total stays O(n), and a reader follows few manifests.
    """
    if before is None or (chained and before.depth > 32 + len(full) // 16):
        return Manifest(b"l", full), 1
    keep = _common(before.hashes, full)
    if keep == 0:
        return Manifest(b"l", full), 1
    return Manifest(b"d", full[keep:], base=before.ref, keep=keep), before.depth + 1


def _common(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> int:
    shorter = min(len(one), len(other))
    if one[:shorter] == other[:shorter]:
        return shorter
    return next(i for i in range(shorter) if one[i] != other[i])
