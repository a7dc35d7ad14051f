"""Filters of a store search: equality, or the operators $eq, $ne, $gt, $gte, $lt and $lte per key."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def fits(value: Mapping[str, Any], conditions: Mapping[str, Any] | None) -> bool:
    """Whether a value meets all conditions; raises ValueError for an unknown operator."""
    return all(_holds(value.get(key), wanted) for key, wanted in (conditions or {}).items())


def _holds(actual: Any, wanted: Any) -> bool:
    if not (isinstance(wanted, Mapping) and any(str(key).startswith("$") for key in wanted)):
        return bool(actual == wanted)
    for name, operand in wanted.items():
        if name not in _OPERATORS:
            raise ValueError(f"The operator {name!r} is unknown; use one of {sorted(_OPERATORS)}.")
        try:
            if not _OPERATORS[name](actual, operand):
                return False
        except TypeError:  # None > 3: what has no order does not fit
            return False
    return True
