"""Encode values under one serializer, and encrypt what is stored under one key, or none.

Without a key: BLAKE2b hashes, and values as they are. With a key: keyed BLAKE2b, so that whoever reads Redis
cannot recognise equal values, and AES-GCM with a random 96-bit nonce (NIST SP 800-38D).
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol

from langgraph.checkpoint.serde.base import SerializerProtocol

from app.persistence.errors import CorruptDataError

NAME_BYTES = 8
ITEM_BYTES = 16
_NONCE_BYTES = 12
_FORMS = ("null", "bytes", "bytearray", "msgpack")
_MSGPACK = bytes([_FORMS.index("msgpack")])
_OTHER_FORM = 255


class _AEAD(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Codec:
    """Encode, hash and seal; made by `of`."""

    serde: SerializerProtocol
    _hash_key: bytes = b""
    _aead: _AEAD | None = None

    @classmethod
    def of(cls, serde: SerializerProtocol, key: bytes | str | None = None) -> Codec:
        """Return a codec; `key` is 16, 24 or 32 bytes, or their base64 text.

        Raises:
            ValueError: the key has another length, or its text is not base64.
            ImportError: the `cryptography` package is missing.
        """
        if key is None:
            return cls(serde)
        raw = _key_bytes(key)
        hash_key = blake2b(raw, digest_size=32, person=b"octopus-hash").digest()
        return cls(
            serde, hash_key, _aes_gcm(blake2b(raw, digest_size=len(raw), person=b"octopus-seal").digest())
        )

    def pack(self, value: Any) -> bytes:
        """Return one byte for the serializer's form, then its bytes."""
        form, data = self.serde.dumps_typed(value)
        if form in _FORMS:
            return bytes([_FORMS.index(form)]) + data
        name = form.encode()
        return bytes([_OTHER_FORM, len(name)]) + name + data

    def unpack(self, packed: bytes) -> Any:
        """Undo `pack`."""
        return self.serde.loads_typed(_typed(packed))

    def unpack_all(self, packed: Sequence[bytes]) -> list[Any]:
        """Undo `pack` for each; at once, if the serializer can."""
        at_once = getattr(self.serde, "loads_all", None)
        if at_once is not None and all(one[:1] == _MSGPACK for one in packed):
            try:
                found: list[Any] = at_once([one[1:] for one in packed])
                return found
            except CorruptDataError:
                pass  # the loop below names the one to blame
        return [self.unpack(one) for one in packed]

    def check(self, packed: bytes) -> None:
        """Refuse to store what could not be read again, if the serializer can tell."""
        check = getattr(self.serde, "check", None)
        if check is not None:
            check(_typed(packed))

    @property
    def encrypts(self) -> bool:
        """Return whether sealed bytes are encrypted."""
        return self._aead is not None

    def name(self, *parts: str) -> bytes:
        """Hash a name made of `parts` to 8 bytes; different splits of one text give different names."""
        encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
        content = b"".join([b"%d:%b" % (len(part), part) for part in encoded])
        return blake2b(content, digest_size=NAME_BYTES, key=self._hash_key).digest()

    def item(self, content: bytes) -> bytes:
        """Hash the content of an item to 16 bytes."""
        return blake2b(content, digest_size=ITEM_BYTES, key=self._hash_key).digest()

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Encrypt, bound to `place`: sealed bytes moved elsewhere do not open."""
        if self._aead is None:
            return plain
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Undo `seal`; raises `CorruptDataError` for another key, another place or changed bytes."""
        if self._aead is None:
            return sealed
        from cryptography.exceptions import InvalidTag

        try:
            return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError) as error:
            raise CorruptDataError(
                "Stored bytes do not open with this encryption_key.",
                hint="They were written under another key or none, or were changed.",
            ) from error


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


def _key_bytes(key: bytes | str) -> bytes:
    try:
        raw = base64.b64decode(key, validate=True) if isinstance(key, str) else bytes(key)
    except binascii.Error as error:
        raise ValueError("encryption_key is a text that is no base64; pass bytes, or base64 text.") from error
    if len(raw) not in (16, 24, 32):
        raise ValueError(f"encryption_key has {len(raw)} bytes; AES takes 16, 24 or 32.")
    return raw


def _aes_gcm(key: bytes) -> _AEAD:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        raise ImportError(
            "encryption_key needs the package cryptography: pip install cryptography"
        ) from error
    return AESGCM(key)
