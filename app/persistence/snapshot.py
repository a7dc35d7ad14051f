"""Whether a value would be encoded as before, without encoding it.

Messages are mutable, so that identity says nothing; but comparing a message with a deep copy of its fields is
twenty times cheaper than encoding and hashing it. What is not a message or plain data is never taken for
unchanged.
"""

from __future__ import annotations

import copy
from typing import Any

from langchain_core.messages import BaseMessage

_PLAIN = (str, bytes, int, float, bool, type(None))


class Snapshot:
    """A deep copy of one item of a list."""

    __slots__ = ("_content", "_extra", "_is_message", "_numbers", "_type")

    def __init__(self, item: Any) -> None:
        self._type = type(item)
        self._is_message = _is_message(item)
        self._content = copy.deepcopy(item.__dict__ if self._is_message else item)
        self._extra = copy.deepcopy(item.__pydantic_extra__) if self._is_message else None
        # 1 == 1.0 == True, but their bytes differ.
        self._numbers = _has_numbers(self._content) or _has_numbers(self._extra)

    @staticmethod
    def of(item: Any) -> Snapshot | None:
        """A snapshot, or None for an item of which equality does not mean equal bytes."""
        if _is_message(item):
            return Snapshot(item) if _is_plain(item.__dict__) and _is_plain(item.__pydantic_extra__) else None
        return Snapshot(item) if _is_plain(item) else None

    def matches(self, item: Any) -> bool:
        """Whether `item` has the type and the content of the copied one."""
        if type(item) is not self._type:
            return False
        content, extra = item, None
        if self._is_message:
            content, extra = item.__dict__, item.__pydantic_extra__
        if content != self._content or extra != self._extra:
            return False
        return not self._numbers or (_same_types(content, self._content) and _same_types(extra, self._extra))


def _is_message(item: Any) -> bool:
    return isinstance(item, BaseMessage) and type(item).__module__.startswith("langchain_core.")


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is dict:
        return all(_is_plain(key) and _is_plain(part) for key, part in value.items())
    return all(map(_is_plain, value)) if kind is list else kind in _PLAIN


def _has_numbers(value: Any) -> bool:
    if type(value) is dict:
        return any(map(_has_numbers, value.values())) or any(map(_has_numbers, value))
    if type(value) is list:
        return any(map(_has_numbers, value))
    return isinstance(value, int | float)


def _same_types(one: Any, other: Any) -> bool:
    """Of two equal values."""
    if type(one) is not type(other):
        return False
    if type(one) is dict:
        return all(_same_types(part, other[key]) for key, part in one.items())
    return all(map(_same_types, one, other)) if type(one) is list else True
