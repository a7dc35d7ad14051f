"""Describe tools to a model, check the arguments that it gives them, and tell where it takes none."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from tools.declaration import ToolFunction

_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_ABOUT_TOOLS = re.compile(r"\btools?\b|tool_choice|tool.call|function.call|--jinja", re.IGNORECASE)
_REFUSING = frozenset({400, 404, 405, 415, 422, 500, 501})


class CallError(Exception):
    """Tell a model, in a line, why its call has no result."""


@dataclass(frozen=True, slots=True)
class ModelTool:
    """Describe a tool to a model, and call it.

    Attributes:
        name: as the trace says it.
        description: what it does.
        parameters: JSON schema of its arguments.
        call: returns the result as text; may raise anything.
        function: the same as choosers know it.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    call: Callable[[Mapping[str, Any]], Awaitable[str]]
    function: ToolFunction

    @property
    def length(self) -> int:
        """Return how many characters a model reads of it."""
        return len(self.name) + len(self.description) + len(json.dumps(self.parameters))


@dataclass(frozen=True)
class Offer:
    """Hold the tools that a model may call, by the names that it is told.

    Attributes:
        tools: by name; a server takes letters, digits, `_` and `-` alone.
        note: why others are not offered; "" where all are.
    """

    tools: Mapping[str, ModelTool] = field(default_factory=dict)
    note: str = ""

    @classmethod
    def of(cls, tools: Sequence[ModelTool], note: str = "") -> Self:
        """Name the tools so that servers take the names and none stands twice."""
        named: dict[str, ModelTool] = {}
        for tool in tools:
            name, number = _NAME.sub("_", tool.name)[:60], 1
            while name in named:
                number += 1
                name = f"{_NAME.sub('_', tool.name)[:60]}_{number}"
            named[name] = tool
        return cls(named, note)

    @property
    def told(self) -> list[Mapping[str, Any]]:
        """Return the functions as OpenAI's API takes them."""
        return [
            {
                "type": "function",
                "function": {"name": name, "description": one.description, "parameters": one.parameters},
            }
            for name, one in self.tools.items()
        ]


def checked(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as the JSON schema wants them; text that stands for another type is read as it.

    Raises:
        CallError: they do not follow the schema.
    """
    from jsonschema.exceptions import SchemaError, ValidationError
    from jsonschema.validators import validator_for

    known = schema.get("properties", {})
    if known and not schema.get("additionalProperties") and (more := sorted(arguments.keys() - known.keys())):
        raise CallError(f"it has no argument {more[0]!r}; its arguments are {', '.join(known)}.")
    given = {name: _typed(value, known.get(name, {})) for name, value in arguments.items()}
    try:
        validator_for(schema)(schema).validate(given)
    except ValidationError as error:
        place = ".".join(map(str, error.absolute_path))
        raise CallError(f"its argument {place!r}: {error.message}" if place else error.message) from error
    except SchemaError as error:
        raise CallError(f"its own schema is wrong: {error.message}") from error
    return given


def _typed(value: Any, schema: Mapping[str, Any]) -> Any:
    """Read JSON in a text where the schema wants no text, and write a number as text where it does."""
    wanted = schema.get("type")
    if isinstance(value, str) and isinstance(wanted, str) and wanted != "string":
        try:
            return json.loads(value)
        except ValueError:
            return value
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value) if wanted == "string" and plain else value


def refuses_tools(error: BaseException) -> bool:
    """Return whether a model's server, or LangChain's chat model, says by `error` that it takes no tools."""
    found = error.__cause__ or error
    return isinstance(found, NotImplementedError) or (
        refuses(error) and bool(_ABOUT_TOOLS.search(str(found)))
    )


def refuses(error: BaseException) -> bool:
    """Return whether a server refused a request for what stands in it, or broke on it."""
    return getattr(error.__cause__ or error, "status_code", None) in _REFUSING
