"""Hashes of names and values, and encryption at rest.

Without a key: BLAKE2b, and values as they are. With a key: keyed BLAKE2b, so that equal values cannot be
recognised by somebody who reads Redis, and AES-GCM with a random 96-bit nonce (NIST SP 800-38D).
"""

from __future__ import annotations

import base64
import binascii
import os
from hashlib import blake2b
from typing import Protocol

from app.persistence.errors import CorruptDataError

NAME_BYTES = 8
ITEM_BYTES = 16
_NONCE_BYTES = 12


class _AEAD(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


class Secrecy:
    """Hashing and sealing under one key, or none.

    Args:
        key: 16, 24 or 32 bytes, or their base64 text.

    Raises:
        ValueError: the key has another length, or its text is no base64.
        ImportError: the `cryptography` package is missing.
    """

    def __init__(self, key: bytes | str | None = None) -> None:
        self._hash_key = b""
        self._aead: _AEAD | None = None
        if key is not None:
            raw = _key_bytes(key)
            self._hash_key = blake2b(raw, digest_size=32, person=b"octopus-hash").digest()
            self._aead = _aes_gcm(blake2b(raw, digest_size=len(raw), person=b"octopus-seal").digest())

    @property
    def encrypts(self) -> bool:
        """Whether sealed bytes are encrypted."""
        return self._aead is not None

    def name(self, *parts: str) -> bytes:
        """8 bytes for a name made of `parts`; different splits of one text give different names."""
        encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
        content = b"".join([b"%d:%b" % (len(part), part) for part in encoded])
        return blake2b(content, digest_size=NAME_BYTES, key=self._hash_key).digest()

    def item(self, content: bytes) -> bytes:
        """16 bytes for the content of an item."""
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
