"""Declare functions as tools: how people ask for them, where a question holds their values, how they fail."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, TypeVar

from tools.types import MEANINGS, Now

_SECTION = re.compile(r"^(Args|Returns|Raises):\s*$", re.MULTILINE)
_ARGUMENT = re.compile(r"^    (\w+): (.*(?:\n      +.*)*)", re.MULTILINE)
_JSON_TYPES: Mapping[Any, str] = {str: "string", int: "integer", float: "number"}


class ToolError(ValueError):
    """Report that a function cannot compute what it was asked; the text names the offender and what to do."""


class ToolTimeoutError(ToolError):
    """Report that a call took longer than its limit and was stopped."""


Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Cue:
    """Describe the words beside a parameter's value in a question.

    Attributes:
        before: phrases that stand before the value ("with respect to").
        after: phrases that stand after it ("years").
        needed: whether a value without such a phrase cannot be this parameter's.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """Describe a parameter: its name, its type (of `tools.types`), its cue and whether it is required."""

    name: str
    type: Any
    cue: Cue
    required: bool


@dataclass(frozen=True, slots=True)
class ToolFunction:
    """Describe a function that a tool agent may call.

    Attributes:
        name: `subject.function`.
        description: the docstring, which is the meaning of its functional token.
        signature: as in Python, e.g. `derivative(expression: Expression, ...)`.
        examples: questions that it answers, for zero-shot routing.
        asks: phrases that ask for it; a question must have one of them, unless there are none, and begin with
            one that is marked by `^`.
        words: further words that may stand in a question without changing its meaning.
        refuses: phrases that change it here, though they are filler elsewhere; with `^`, at the beginning;
            `#` is any number that is no percentage.
        in_order: whether values of one type without cues stand in the order of the parameters.
        parameters: in the order of the signature.
        libraries: what is imported before the time of a call starts to count.
        call: the function itself.
    """

    name: str
    description: str
    signature: str
    examples: tuple[str, ...]
    asks: tuple[str, ...]
    words: tuple[str, ...]
    refuses: tuple[str, ...]
    in_order: bool
    parameters: tuple[Parameter, ...]
    libraries: tuple[str, ...]
    call: Callable[..., Any] = field(repr=False)

    def __hash__(self) -> int:
        """Hash the name alone: functions are keys of caches that every question asks."""
        return hash(self.name)

    @property
    def summary(self) -> str:
        """Return what it does, without its parameters."""
        return _flat(_SECTION.split(self.description)[0])

    @property
    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of its arguments, for models; the clock is not theirs to set."""
        told = dict(_ARGUMENT.findall(self.description))
        known = [one for one in self.parameters if one.type is not Now]
        return {
            "type": "object",
            "properties": {one.name: _value_schema(one.type, told.get(one.name, "")) for one in known},
            "required": [one.name for one in known if one.required],
            "additionalProperties": False,
        }


def cue(before: str = "", after: str = "", *, needed: bool = False) -> Cue:
    """Build a `Cue` from phrases that are separated by commas."""
    return Cue(_phrases(before), _phrases(after), needed)


def tool(
    *,
    asks: str = "",
    examples: tuple[str, ...],
    cues: Mapping[str, Cue] | None = None,
    words: str = "",
    refuses: str = "",
    in_order: bool = False,
    libraries: str = "",
) -> Callable[[Function], Function]:
    """Declare a function as a tool by the fields of `ToolFunction`, phrases and libraries with commas."""

    def declare(function: Function) -> Function:
        signature, hints = inspect.signature(function), typing.get_type_hints(function)
        function.__dict__["tool"] = ToolFunction(
            name=f"{function.__module__.rpartition('.')[2]}.{function.__name__}",
            description=inspect.getdoc(function) or "",
            signature=f"{function.__name__}{signature}".replace("'", ""),
            examples=examples,
            asks=_phrases(asks),
            words=_phrases(words),
            refuses=_phrases(refuses),
            in_order=in_order,
            parameters=tuple(
                Parameter(
                    name=name,
                    type=_without_none(hints[name]),
                    cue=(cues or {}).get(name, Cue()),
                    required=parameter.default is inspect.Parameter.empty,
                )
                for name, parameter in signature.parameters.items()
            ),
            libraries=_phrases(libraries),
            call=function,
        )
        return function

    return declare


def _value_schema(kind: Any, told: str) -> dict[str, Any]:
    """Return the schema of a value: its JSON type, with what the docstring and the type say of it."""
    said = [_flat(text).rstrip(".") for text in (told, MEANINGS.get(kind, "")) if text]
    schema = _json_type(kind)
    return schema | {"description": f"{'; '.join(said)}."} if said else schema


def _json_type(kind: Any) -> dict[str, Any]:
    plain = getattr(kind, "__supertype__", kind)
    if typing.get_origin(plain) is list:
        return {"type": "array", "items": _json_type(typing.get_args(plain)[0])}
    return {"type": _JSON_TYPES[plain]}


def _flat(text: str) -> str:
    return " ".join(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(text.split(", ")) if text else ()


def _without_none(hint: Any) -> Any:
    parts = typing.get_args(hint)
    return next(part for part in parts if part is not NoneType) if NoneType in parts else hint
