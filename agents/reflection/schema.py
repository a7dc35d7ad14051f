"""A verifier that checks drafts against a JSON schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agents.reflection.types import Verdict

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_KEYWORDS = {"type", "required", "properties", "items", "enum", "minimum", "maximum", "title", "description"}


@dataclass(frozen=True, slots=True)
class SchemaVerifier:
    """Checks that a draft is JSON of a schema, which is made of the most usual keywords.

    Raises:
        ValueError: the schema has another keyword, which would not be checked.
    """

    schema: Mapping[str, Any]

    def __post_init__(self) -> None:
        _check_schema(self.schema)

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """The verdict, with each fault and its place."""
        try:
            value = json.loads(draft)
        except json.JSONDecodeError as error:
            return Verdict(0.0, False, f"the answer is not JSON: {error}")
        faults = list(_faults(value, self.schema, "$"))
        return Verdict(1 / (1 + len(faults)), not faults, "; ".join(faults))


def _check_schema(schema: Mapping[str, Any]) -> None:
    if unknown := schema.keys() - _KEYWORDS:
        raise ValueError(
            f"unknown keyword {min(unknown)!r} in a schema; known: {', '.join(sorted(_KEYWORDS))}"
        )
    if schema.get("type", "object") not in _TYPES:
        raise ValueError(f"unknown type {schema['type']!r} in a schema; known: {', '.join(_TYPES)}")
    for part in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        _check_schema(part)


def _faults(value: Any, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    kind = schema.get("type")
    is_flag = isinstance(value, bool) and kind in ("number", "integer")  # a bool is an int in Python only
    if kind and (not isinstance(value, _TYPES[kind]) or is_flag):
        yield f"{place} is not of type {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place} is {value!r}, not one of {schema['enum']!r}"
    if isinstance(value, (int, float)):
        if value < schema.get("minimum", value):
            yield f"{place} is {value!r}, less than {schema['minimum']!r}"
        if value > schema.get("maximum", value):
            yield f"{place} is {value!r}, more than {schema['maximum']!r}"
    if isinstance(value, dict):
        yield from (f"{place} has no {name!r}" for name in schema.get("required", ()) if name not in value)
        for name, part in schema.get("properties", {}).items():
            if name in value:
                yield from _faults(value[name], part, f"{place}.{name}")
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _faults(item, schema["items"], f"{place}[{index}]")
