"""Channel values to manifests and items, and back.

A list is stored item by item under the hash of its content, so that a conversation of n messages costs O(n)
whatever the number of checkpoints; a version refers to the version before it and names only the new items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from app.persistence.errors import CorruptDataError
from app.persistence.secrecy import Secrecy
from app.persistence.seen import StoredList
from app.persistence.snapshot import Snapshot
from app.persistence.wire import Manifest, unpack_manifest

INLINE_BYTES = 256
"""Values up to this size stay in their manifest."""

_FORMS = ("null", "bytes", "bytearray", "msgpack")
_OTHER_FORM = 255
_SCALARS = (int, float, bool, type(None))


class Outbox:
    """The items that one call sends: those that its values name and Redis is not known to have."""

    def __init__(self, codec: Codec, known: set[bytes] | None) -> None:
        self._codec = codec
        self._known = known or set()
        self.named: list[bytes] = []
        self.items: dict[bytes, bytes] = {}

    def add(self, packed: bytes) -> bytes:
        """Name an item by its hash."""
        digest = self._codec.secrecy.item(packed)
        if digest not in self._known and digest not in self.items:
            self._codec.check(packed)
            self.items[digest] = self._codec.secrecy.seal(packed, digest)
        self.named.append(digest)
        return digest

    def flat(self) -> list[bytes]:
        """Arguments of a script: hash, item, hash, item, ..."""
        return [part for pair in self.items.items() for part in pair]


class Codec:
    """Encoding under one serializer and one key."""

    def __init__(self, serde: SerializerProtocol, secrecy: Secrecy) -> None:
        self.serde = serde
        self.secrecy = secrecy

    def pack(self, value: Any) -> bytes:
        """One byte for the serializer's form, then its bytes."""
        form, data = self.serde.dumps_typed(value)
        if form in _FORMS:
            return bytes([_FORMS.index(form)]) + data
        name = form.encode()
        return bytes([_OTHER_FORM, len(name)]) + name + data

    def unpack(self, packed: bytes) -> Any:
        """Undo `pack`."""
        return self.serde.loads_typed(_typed(packed))

    def check(self, packed: bytes) -> None:
        """Refuse to store what could not be read again, if the serializer can tell."""
        check = getattr(self.serde, "check", None)
        if check is not None:
            check(_typed(packed))

    def encode(self, value: Any, outbox: Outbox, same: Sequence[bytes] = ()) -> Manifest:
        """A manifest without base; `inline` is not sealed yet. `same`: known hashes of its first items."""
        wrapped = isinstance(value, _DeltaSnapshot)
        items = value.value if wrapped else value
        if type(items) is list and (same or not all(type(item) in _SCALARS for item in items)):
            packed = [self.pack(item) for item in items[len(same) :]]
            if same or sum(map(len, packed)) > INLINE_BYTES:
                return Manifest(b"L" if wrapped else b"l", (*same, *map(outbox.add, packed)))
        whole = self.pack(value)
        if len(whole) > INLINE_BYTES:
            return Manifest(b"r", (outbox.add(whole),))
        self.check(whole)
        return Manifest(b"p", inline=whole)


def shorten(full: Manifest, before: StoredList | None) -> tuple[Manifest, int]:
    """Say a list relative to the list before it, and the depth of the chain that this makes.

    A full manifest comes every 32 + n/16 versions: its 16 n bytes are paid for by the versions in between, so
    the total stays O(n), and a reader follows few manifests.
    """
    if before is None or full.kind not in b"lL" or before.depth > 32 + len(full.hashes) // 16:
        return full, 1
    keep = _common(before.hashes, full.hashes)
    if keep == 0:
        return full, 1
    kind = b"d" if full.kind == b"l" else b"D"
    return replace(full, kind=kind, hashes=full.hashes[keep:], base=before.ref, keep=keep), before.depth + 1


def _common(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> int:
    shorter = min(len(one), len(other))
    if one[:shorter] == other[:shorter]:
        return shorter
    return next(i for i in range(shorter) if one[i] != other[i])


def unchanged_items(value: Any, before: StoredList | None) -> int:
    """How many of the first items of a list are those of the list before it."""
    items = value.value if isinstance(value, _DeltaSnapshot) else value
    if before is None or type(items) is not list:
        return 0
    count = 0
    for item, snapshot in zip(items, before.snapshots, strict=False):
        if snapshot is None or not snapshot.matches(item):
            break
        count += 1
    return count


def snapshots(value: Any, before: StoredList | None, same: int) -> tuple[Snapshot | None, ...]:
    """Copies of the items of a list; the first `same` of the list before it are taken over."""
    items = value.value if isinstance(value, _DeltaSnapshot) else value
    return (*(before.snapshots[:same] if before else ()), *map(Snapshot.of, items[same:]))


@dataclass(slots=True)
class Values:
    """Manifests and items of one reply, decoded on demand; every call builds new objects."""

    codec: Codec
    manifests: Mapping[bytes, bytes]
    items: Mapping[bytes, bytes]

    def value(self, ref: bytes) -> Any:
        """The channel value of a ref."""
        manifest = self._manifest(ref)
        if manifest.kind == b"p":
            return self.codec.unpack(self.codec.secrecy.open(manifest.inline, ref))
        return self.expand(manifest, self.stored_list(ref).hashes if manifest.base else manifest.hashes)

    def expand(self, manifest: Manifest, hashes: tuple[bytes, ...]) -> Any:
        """The value of a manifest that names items."""
        if manifest.kind == b"r":
            return self._item(hashes[0])
        items = [self._item(digest) for digest in hashes]
        return _DeltaSnapshot(items) if manifest.kind in b"LD" else items

    def stored_list(self, ref: bytes) -> StoredList:
        """The items of a list manifest and of those that it builds on."""
        chain = [self._manifest(ref)]
        while chain[-1].base:
            chain.append(self._manifest(chain[-1].base))
        hashes = list(chain[-1].hashes)
        for manifest in reversed(chain[:-1]):
            del hashes[manifest.keep :]
            hashes += manifest.hashes
        return StoredList(ref, tuple(hashes), len(chain))

    def is_list(self, ref: bytes) -> bool:
        """Whether the value is stored item by item."""
        return self.manifests[ref][:1] in b"ldLD"

    def _manifest(self, ref: bytes) -> Manifest:
        try:
            return unpack_manifest(self.manifests[ref])
        except KeyError:
            raise CorruptDataError(f"The channel value {ref.hex()} is missing.") from None

    def _item(self, digest: bytes) -> Any:
        try:
            sealed = self.items[digest]
        except KeyError:
            raise CorruptDataError(f"The item {digest.hex()} is missing.") from None
        return self.codec.unpack(self.codec.secrecy.open(sealed, digest))


def _typed(packed: bytes) -> tuple[str, bytes]:
    if not packed:
        raise CorruptDataError("A stored value is empty.")
    form = packed[0]
    if form < len(_FORMS):
        return _FORMS[form], packed[1:]
    if form == _OTHER_FORM and len(packed) > 1:
        end = 2 + packed[1]
        return packed[2:end].decode("utf-8", "replace"), packed[end:]
    raise CorruptDataError(f"A stored value has the unknown form {form}.")
