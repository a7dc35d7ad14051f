"""Values to bytes and back, under one serializer and one key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol

from app.persistence.errors import CorruptDataError
from app.persistence.redis.encryption import Secrecy

_FORMS = ("null", "bytes", "bytearray", "msgpack")
_MSGPACK = bytes([_FORMS.index("msgpack")])
_OTHER_FORM = 255


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

    def unpack_all(self, packed: Sequence[bytes]) -> list[Any]:
        """Undo `pack` for each; at once, if the serializer can."""
        at_once = getattr(self.serde, "loads_all", None)
        if at_once is not None and all(one[:1] == _MSGPACK for one in packed):
            try:
                found: list[Any] = at_once([one[1:] for one in packed])
                return found
            except CorruptDataError:
                pass  # the one that is to blame is named below
        return [self.unpack(one) for one in packed]

    def check(self, packed: bytes) -> None:
        """Refuse to store what could not be read again, if the serializer can tell."""
        check = getattr(self.serde, "check", None)
        if check is not None:
            check(_typed(packed))


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
