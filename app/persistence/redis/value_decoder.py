"""Manifests and items back to values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from app.persistence.errors import CorruptDataError
from app.persistence.redis.byte_layout import REF_BYTES, Manifest, unpack_manifest, unpack_pairs
from app.persistence.redis.codec import Codec
from app.persistence.redis.encryption import ITEM_BYTES
from app.persistence.redis.keys import decode_id
from app.persistence.redis.known_content import StoredList


@dataclass(slots=True)
class Values:
    """Manifests and items of one reply, decoded on demand; every call builds new objects."""

    codec: Codec
    manifests: Mapping[bytes, bytes]
    items: Mapping[bytes, bytes]
    _unpacked: dict[bytes, Manifest] = field(default_factory=dict)

    @classmethod
    def of(cls, codec: Codec, manifests: bytes, items: bytes) -> Values:
        """From the pairs of a script's reply."""
        return cls(codec, unpack_pairs(manifests, REF_BYTES), unpack_pairs(items, ITEM_BYTES))

    def value(self, ref: bytes) -> Any:
        """The channel value of a ref."""
        manifest = self._manifest(ref)
        if manifest.inline:
            manifest = replace(manifest, inline=self.codec.secrecy.open(manifest.inline, ref))
        return self.expand(manifest)

    def expand(self, manifest: Manifest) -> Any:
        """The value of a manifest whose payload is open."""
        if manifest.kind == b"p":
            return self.codec.unpack(manifest.inline)
        if manifest.kind == b"r":
            return self.codec.unpack(self._packed(manifest.hashes[0]))
        if manifest.kind == b"m":
            return {key: self.expand(part) for key, part in _parts(manifest.inline)}
        items = self.codec.unpack_all([self._packed(digest) for digest in _joined(self._chain(manifest))])
        return _DeltaSnapshot(items) if manifest.kind in b"LD" else items

    def stored_list(self, ref: bytes) -> StoredList:
        """The items of a list manifest and of those that it builds on."""
        chain = self._chain(self._manifest(ref))
        return StoredList(ref, _joined(chain), len(chain))

    def is_list(self, ref: bytes) -> bool:
        """Whether the value is stored item by item."""
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
            return self.codec.secrecy.open(self.items[digest], digest)
        except KeyError:
            raise CorruptDataError(f"The item {digest.hex()} is missing.") from None


def _joined(chain: list[Manifest]) -> tuple[bytes, ...]:
    """The items of a list from the manifests that it is built from, its own first."""
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
