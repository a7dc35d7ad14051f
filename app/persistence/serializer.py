"""Read msgpack that rebuilds allow-listed types only, and raise for every other one.

`JsonPlusSerializer` in its permissive mode imports and calls whatever the bytes name (CVE-2026-28277). In its
strict mode it returns the raw fields of a refused type, so that a message may come back as a dict. This one
writes the same bytes, reads them without either surprise, and refuses the `json` and `pickle` forms.
"""

from __future__ import annotations

import copy
import importlib
import re
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde._msgpack import SAFE_MSGPACK_METHODS, SAFE_MSGPACK_TYPES
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from app.persistence.errors import CorruptDataError, PersistenceError, TypeNotAllowedError

_EXTENSION = re.compile(rb"[\xc7-\xc9\xd4-\xd8]")
"""The first byte of every msgpack extension, and so of every type that is not plain data."""

_ARRAY = b"\xdd"
"""msgpack's head of an array, before four bytes of length."""

TypeName = tuple[str, ...]
"""(module, class name)."""

_CONSTRUCTORS = frozenset(
    {
        jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG,
        jsonplus.EXT_CONSTRUCTOR_POS_ARGS,
        jsonplus.EXT_CONSTRUCTOR_KW_ARGS,
        jsonplus.EXT_METHOD_SINGLE_ARG,
        jsonplus.EXT_PYDANTIC_V1,
        jsonplus.EXT_PYDANTIC_V2,
    }
)


_NUMPY = "bool bool_ float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64".split()
_NUMBERS = frozenset(
    {("builtins", "int"), ("builtins", "complex"), ("fractions", "Fraction")}
    | {("numpy", name) for name in _NUMPY}
)
"""What is rebuilt besides LangGraph's safe types."""


class StrictSerializer(JsonPlusSerializer):
    """Serialize checkpoints whose bytes somebody else may have written.

    Args:
        allow: types to rebuild besides LangGraph's safe ones: classes, or (module, name) pairs.
    """

    def __init__(self, allow: Iterable[TypeName | type] = ()) -> None:
        super().__init__(allowed_msgpack_modules=None)
        self._allowed = SAFE_MSGPACK_TYPES | _NUMBERS | jsonplus._normalize_module_keys(tuple(allow))

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Encode; numbers that msgpack does not know are rebuilt from their text or plain value."""
        try:
            return super().dumps_typed(obj)
        except TypeError:
            return super().dumps_typed(_with_numbers(obj))

    def with_msgpack_allowlist(self, extra_allowlist: Iterable[TypeName | type]) -> StrictSerializer:
        """Return a copy that also rebuilds `extra_allowlist`."""
        clone = copy.copy(self)
        clone._allowed = self._allowed | jsonplus._normalize_module_keys(tuple(extra_allowlist))
        return clone

    def check(self, data: tuple[str, bytes]) -> None:
        """Raise `TypeNotAllowedError` for bytes that `loads_typed` would refuse; builds nothing."""
        if data[0] == "msgpack" and _EXTENSION.search(data[1]):
            _Inspector(self._allowed).decode(data[1])

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Decode; raises `TypeNotAllowedError`, and `CorruptDataError` for bytes that are no msgpack."""
        form, encoded = data
        if form == "msgpack":
            return _Reader(self._allowed).decode(encoded)
        if form in ("null", "bytes", "bytearray"):
            return super().loads_typed(data)
        raise CorruptDataError(f"This serializer does not write the stored form {form!r}.")

    def loads_all(self, parts: Sequence[bytes]) -> list[Any]:
        """Decode msgpack values as one array, which is faster; raises what `loads_typed` raises."""
        head = _ARRAY + struct.pack(">I", len(parts))
        found: list[Any] = _Reader(self._allowed).decode(b"".join([head, *parts]))
        return found


class CheckingSerializer(StrictSerializer):
    """Refuse when writing what would be refused when reading, for savers that do not call `check`."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Encode; raises `TypeNotAllowedError`."""
        data = super().dumps_typed(obj)
        self.check(data)
        return data


class _Inspector:
    """Check in one decoding what the bytes name; ormsgpack drops a hook's error, so it is kept here."""

    def __init__(self, allowed: frozenset[TypeName]) -> None:
        self._allowed = allowed
        self._failure: Exception | None = None

    def decode(self, data: bytes) -> Any:
        try:
            return self._unpack(data)
        except ValueError as error:
            cause = self._failure or error
            if isinstance(cause, PersistenceError):
                raise cause from None
            raise CorruptDataError(f"Stored bytes cannot be decoded: {cause}.") from cause

    def _unpack(self, data: bytes) -> Any:
        return ormsgpack.unpackb(data, ext_hook=self._hook, option=ormsgpack.OPT_NON_STR_KEYS)

    def _hook(self, code: int, data: bytes) -> Any:
        try:
            fields = self._unpack(data)
            if code in _CONSTRUCTORS:
                self._require(code, fields)
            return self._build(code, fields)
        except Exception as error:
            self._failure = self._failure or error
            raise

    def _require(self, code: int, fields: Any) -> None:
        """Check the shape [module, name, argument, method?] and the names in it."""
        if type(fields) is not list or len(fields) < 3:
            raise CorruptDataError("A stored object does not say what it is.")
        module, name = fields[:2]
        if type(module) is not str or type(name) is not str:
            raise CorruptDataError("A stored object does not say what it is.")
        if code == jsonplus.EXT_METHOD_SINGLE_ARG:
            if tuple(fields[:2] + fields[3:]) not in SAFE_MSGPACK_METHODS:
                raise TypeNotAllowedError(module, name)
        elif (module, name) not in self._allowed:
            raise TypeNotAllowedError(module, name)

    def _build(self, code: int, fields: Any) -> Any:
        return ()


class _Reader(_Inspector):
    """Rebuild the objects in one decoding."""

    def _build(self, code: int, fields: Any) -> Any:
        if code == jsonplus.EXT_DELTA_SNAPSHOT:
            return _DeltaSnapshot(fields)
        if code == jsonplus.EXT_NUMPY_ARRAY:
            return _array(fields)
        if code not in _CONSTRUCTORS:
            raise CorruptDataError(f"The msgpack extension {code} is unknown.")
        module, name, argument = fields[:3]
        try:
            return _construct(code, _class(module, name), argument, fields[3:])
        except Exception as error:
            raise CorruptDataError(f"A stored {module}.{name} cannot be rebuilt: {error!r}.") from error


def _with_numbers(value: Any) -> Any:
    """Return a value of plain lists and dicts with its numbers in a form that msgpack can carry."""
    kind = type(value)
    if kind in (list, tuple):
        return [_with_numbers(one) for one in value]
    if kind is dict:
        return {key: _with_numbers(one) for key, one in value.items()}
    name = kind.__module__, kind.__name__
    if name not in _NUMBERS or (kind is int and value.bit_length() < 64):
        return value
    plain = value.item() if kind.__module__ == "numpy" else str(value)
    return ormsgpack.Ext(jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG, ormsgpack.packb((*name, plain)))


@lru_cache(maxsize=512)
def _class(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _construct(code: int, kind: Any, argument: Any, rest: list[Any]) -> Any:
    if code == jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG:
        return kind(argument)
    if code == jsonplus.EXT_CONSTRUCTOR_POS_ARGS:
        if kind.__name__ == "Send" and len(argument) == 3:
            return kind(*argument[:2], timeout=argument[2])
        return kind(*argument)
    if code == jsonplus.EXT_CONSTRUCTOR_KW_ARGS:
        return kind(**argument)
    if code == jsonplus.EXT_METHOD_SINGLE_ARG:
        return getattr(kind, rest[0])(argument)
    try:
        return kind(**argument)
    except Exception:  # the model changed since, or its fields were set without validation
        return (kind.model_construct if code == jsonplus.EXT_PYDANTIC_V2 else kind.construct)(**argument)


def _array(fields: Any) -> Any:
    import numpy as np

    try:
        dtype, shape, order, buffer = fields
        return np.frombuffer(buffer, dtype=np.dtype(dtype)).reshape(shape, order=order)
    except Exception as error:
        raise CorruptDataError(f"A stored array cannot be rebuilt: {error!r}.") from error
