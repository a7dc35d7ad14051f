"""Turn channel values and writes into manifests and items, and back.

A list is stored item by item under the hash of its content, and relative to the last list of that channel.
So a conversation of n messages costs O(n), whatever the number of checkpoints. That holds for writes too, for
lists in a dict (the input of a subgraph), and from one namespace to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import ormsgpack
from langgraph.checkpoint.base import PendingWrite, writes_sort_key
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from app.persistence.errors import CorruptDataError
from app.persistence.redis.byte_layout import (
    REF_BYTES,
    Manifest,
    unpack_batches,
    unpack_manifest,
    unpack_pairs,
)
from app.persistence.redis.codec import ITEM_BYTES, Codec
from app.persistence.redis.keys import decode_id, encode_id
from app.persistence.redis.known_content import Seen, Snapshot, StoredList, common

INLINE_BYTES = 256
"""Larger values leave their manifest for an item of their own."""

_SCALARS = (int, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Encoded:
    """Hold a manifest whose payload is not sealed yet; of a list, also what a later list can build on."""

    manifest: Manifest
    full: tuple[bytes, ...] = ()
    snapshot: Snapshot | None = None
    depth: int = 1

    def stored(self, ref: bytes) -> StoredList:
        """Return the list as it will be in Redis under `ref`."""
        return StoredList(ref, self.full, self.depth, self.snapshot or Snapshot())


class ValueEncoder:
    """Encode the values of one call; `items` are those that Redis is not known to have, by hash.

    Args:
        codec: serializer and key.
        known: what the thread is known to have stored.
    """

    def __init__(self, codec: Codec, known: Seen | None) -> None:
        self._codec = codec
        self._known = known or Seen()
        self.items: dict[bytes, bytes] = {}

    def flat(self) -> list[bytes]:
        """Return the arguments of a script: hash, item, hash, item, ..."""
        return [part for pair in self.items.items() for part in pair]

    def encode(self, value: Any, name: bytes, channel: str, *, chained: bool = True) -> Encoded:
        """Encode a value of a channel; `name` is the hashed namespace.

        A `chained` list is one that later lists will build on, so it ends the chain when that grows long.
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
        """Encode item by item, unless the list is small."""
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
        """Encode key by key, if a list in it is worth it."""
        if not all(type(key) is str for key in value):
            return None
        parts = {key: self.encode(part, name, key, chained=False).manifest for key, part in value.items()}
        if not any(part.kind in b"ld" for part in parts.values()):
            return None
        payload = ormsgpack.packb([(encode_id(key), part.pack()) for key, part in parts.items()])
        bases, hashes = references(list(parts.values()))
        return Manifest(b"m", hashes, payload, bases=bases)

    def _add(self, packed: bytes) -> bytes:
        digest = self._codec.item(packed)
        if digest not in self._known.items and digest not in self.items:
            self._codec.check(packed)
            self.items[digest] = self._codec.seal(packed, digest)
        return digest


def _in_delta(listed: Encoded) -> Encoded:
    manifest = listed.manifest
    return replace(listed, manifest=replace(manifest, kind=manifest.kind.upper()))


def references(manifests: list[Manifest]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the refs and the hashes that manifests name, each once."""
    bases = [base for manifest in manifests for base in (*manifest.bases, manifest.base) if base]
    hashes = [digest for manifest in manifests for digest in manifest.hashes]
    return tuple(dict.fromkeys(bases)), tuple(dict.fromkeys(hashes))


def _shorten(full: tuple[bytes, ...], before: StoredList | None, chained: bool) -> tuple[Manifest, int]:
    """Build a list on the one before it; return the manifest and the depth of the chain.

    A full manifest comes every 32 + n/16 versions: the versions in between pay for its 16 n bytes, so the
    total stays O(n), and a reader follows few manifests.
    """
    if before is None or (chained and before.depth > 32 + len(full) // 16):
        return Manifest(b"l", full), 1
    keep = common(before.hashes, full)
    if keep == 0:
        return Manifest(b"l", full), 1
    return Manifest(b"d", full[keep:], base=before.ref, keep=keep), before.depth + 1


@dataclass(slots=True)
class StoredValues:
    """Decode the manifests and items of one reply on demand; every call builds new objects."""

    codec: Codec
    manifests: Mapping[bytes, bytes]
    items: Mapping[bytes, bytes]
    _unpacked: dict[bytes, Manifest] = field(default_factory=dict)

    @classmethod
    def of(cls, codec: Codec, manifests: bytes, items: bytes) -> StoredValues:
        """Read the pairs of a script's reply."""
        return cls(codec, unpack_pairs(manifests, REF_BYTES), unpack_pairs(items, ITEM_BYTES))

    def value(self, ref: bytes) -> Any:
        """Return the channel value of a ref."""
        manifest = self._manifest(ref)
        if manifest.inline:
            manifest = replace(manifest, inline=self.codec.open(manifest.inline, ref))
        return self.expand(manifest)

    def expand(self, manifest: Manifest) -> Any:
        """Return the value of a manifest whose payload is open."""
        if manifest.kind == b"p":
            return self.codec.unpack(manifest.inline)
        if manifest.kind == b"r":
            return self.codec.unpack(self._packed(manifest.hashes[0]))
        if manifest.kind == b"m":
            return {key: self.expand(part) for key, part in _parts(manifest.inline)}
        items = self.codec.unpack_all([self._packed(digest) for digest in _joined(self._chain(manifest))])
        return _DeltaSnapshot(items) if manifest.kind in b"LD" else items

    def stored_list(self, ref: bytes) -> StoredList:
        """Return the list of a manifest, with the items of those that it builds on."""
        chain = self._chain(self._manifest(ref))
        return StoredList(ref, _joined(chain), len(chain))

    def is_list(self, ref: bytes) -> bool:
        """Return whether the value is stored item by item."""
        return self.manifests[ref][:1] in b"ldLD"

    def _chain(self, manifest: Manifest) -> list[Manifest]:
        chain = [manifest]
        while chain[-1].base:
            chain.append(self._manifest(chain[-1].base))
        return chain

    def _manifest(self, ref: bytes) -> Manifest:
        if ref not in self._unpacked:
            try:
                self._unpacked[ref] = unpack_manifest(self.manifests[ref])
            except KeyError:
                raise CorruptDataError(f"The channel value {ref.hex()} is missing.") from None
        return self._unpacked[ref]

    def _packed(self, digest: bytes) -> bytes:
        try:
            return self.codec.open(self.items[digest], digest)
        except KeyError:
            raise CorruptDataError(f"The item {digest.hex()} is missing.") from None


def _joined(chain: list[Manifest]) -> tuple[bytes, ...]:
    """Return the items of a list from its manifests, its own first."""
    hashes = list(chain[-1].hashes)
    for manifest in reversed(chain[:-1]):
        del hashes[manifest.keep :]
        hashes += manifest.hashes
    return tuple(hashes)


def _parts(payload: bytes) -> list[tuple[str, Manifest]]:
    try:
        return [(decode_id(key), unpack_manifest(part)) for key, part in ormsgpack.unpackb(payload)]
    except (ValueError, TypeError) as error:
        raise CorruptDataError(f"A stored dict cannot be decoded: {error}.") from error


def decode_writes(
    codec: Codec, values: StoredValues, identity: bytes, batches: bytes, only: set[str] | None = None
) -> list[PendingWrite]:
    """Return writes in live order. Of one task and index the first counts, of special ones the last."""
    kept: dict[tuple[str, int], tuple[str, str, bytes]] = {}
    for task_id, path, index, channel, manifest in _entries(codec, identity, batches):
        if index < 0 or (task_id, index) not in kept:
            kept[(task_id, index)] = (path, channel, manifest)
    ordered = sorted(kept.items(), key=lambda pair: writes_sort_key(pair[1][0], *pair[0]))
    return [
        (task_id, channel, values.expand(unpack_manifest(manifest)))
        for (task_id, _), (_, channel, manifest) in ordered
        if only is None or channel in only
    ]


def _entries(codec: Codec, identity: bytes, batches: bytes) -> Iterator[tuple[str, str, int, str, bytes]]:
    for sealed in unpack_batches(batches):
        try:
            task_id, path, entries = ormsgpack.unpackb(codec.open(sealed, b"w" + identity))
            for index, channel, manifest in entries:
                yield decode_id(task_id), decode_id(path), int(index), decode_id(channel), manifest
        except (ValueError, TypeError, AttributeError) as error:
            raise CorruptDataError(f"Stored writes cannot be decoded: {error}.") from error
