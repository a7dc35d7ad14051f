"""Whether the items of a list would be encoded as before, without encoding them.

Messages are mutable, so that identity says nothing; but comparing a message with a copy of its fields is ten
times cheaper than encoding and hashing it. What is neither a message of LangChain nor plain data is never
taken for unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from langchain_core.messages import BaseMessage

_fields = attrgetter("__dict__")
_extra_fields = attrgetter("__pydantic_extra__")


class _OpaqueError(Exception):
    """A value of which equality does not mean equal bytes."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Copies of the items of a list, column by column, because whole columns compare fastest.

    Attributes:
        types: of the items; None for one that is never taken for unchanged.
        contents: fields of messages, or plain data.
        extras: extra fields of messages.
        numbered: the items with numbers in them: 1 == 1.0 == True, but their bytes differ.
        messages: whether all items are messages, whose fields are got at faster.
    """

    types: tuple[type | None, ...] = ()
    contents: tuple[Any, ...] = ()
    extras: tuple[Any, ...] = ()
    numbered: tuple[int, ...] = ()
    messages: bool = True

    def extended(self, same: int, items: Sequence[Any]) -> Snapshot:
        """The first `same` of these items, then copies of the rest of `items`."""
        rows = [_copy_item(item) for item in items[same:]]
        return Snapshot(
            (*self.types[:same], *(row[0] for row in rows)),
            (*self.contents[:same], *(row[1] for row in rows)),
            (*self.extras[:same], *(row[2] for row in rows)),
            (*(i for i in self.numbered if i < same), *(same + i for i, row in enumerate(rows) if row[3])),
            self.messages and all(isinstance(item, BaseMessage) for item in items[same:]),
        )

    def unchanged(self, items: Sequence[Any]) -> int:
        """How many of the first items are as they were."""
        head = items[: _common(tuple(map(type, items)), self.types)]
        contents, extras = self._read(head)
        count = min(_common(contents, self.contents), _common(extras, self.extras))
        for i in self.numbered:
            same = i >= count or (
                _same_types(contents[i], self.contents[i]) and _same_types(extras[i], self.extras[i])
            )
            if not same:
                return i
        return count

    def _read(self, items: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Contents and extra fields of items of the types of this snapshot."""
        if self.messages:
            return tuple(map(_fields, items)), tuple(map(_extra_fields, items))
        contents = [getattr(item, "__dict__", item) for item in items]
        return tuple(contents), tuple([getattr(item, "__pydantic_extra__", None) for item in items])


def _common(one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
    """How many of the first elements are equal."""
    size = min(len(one), len(other))
    if one[:size] == other[:size]:
        return size
    return next(i for i in range(size) if one[i] != other[i])


def _copy_item(item: Any) -> tuple[type | None, Any, Any, bool]:
    try:
        if isinstance(item, BaseMessage):
            if not type(item).__module__.startswith("langchain_core."):
                raise _OpaqueError
            content, numbers = _copy(item.__dict__)
            extra, more = _copy(item.__pydantic_extra__)
            return type(item), content, extra, numbers or more
        content, numbers = _copy(item)
        return type(item), content, None, numbers
    except _OpaqueError:
        return None, None, None, False


def _copy(value: Any) -> tuple[Any, bool]:
    """A deep copy of plain data, and whether there are numbers in it."""
    kind = type(value)
    if kind is str or value is None or kind is bytes:
        return value, False
    if kind is int or kind is float or kind is bool:
        return value, True
    if kind is dict:
        pairs = [(key, *_copy(part)) for key, part in value.items()]
        return {key: part for key, part, _ in pairs}, any(
            number or type(key) is not str for key, _, number in pairs
        )
    if kind is list:
        parts = [_copy(part) for part in value]
        return [part for part, _ in parts], any(number for _, number in parts)
    raise _OpaqueError


def _same_types(one: Any, other: Any) -> bool:
    """Of two equal values."""
    if type(one) is not type(other):
        return False
    if type(one) is dict:
        # Equal keys may differ in type too; compare them in order, which is how they are encoded.
        pairs = zip(one.items(), other.items(), strict=True)
        return all(_same_types(a, c) and _same_types(b, d) for (a, b), (c, d) in pairs)
    return all(map(_same_types, one, other)) if type(one) is list else True
