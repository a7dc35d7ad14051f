"""What is declared beside a function: how people ask for it, and where in the text its parameters stand."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Cue:
    """The words beside a parameter's value in a question.

    Attributes:
        before: phrases that stand before the value ("with respect to").
        after: phrases that stand after it ("years").
        needed: whether a value without such a phrase can not be this parameter's.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name, its type (of `tools.types`), its cue and whether it may be left out."""

    name: str
    type: Any
    cue: Cue
    required: bool


@dataclass(frozen=True, slots=True)
class ToolFunction:
    """A function that a tool agent may call.

    Attributes:
        name: `subject.function`.
        description: the docstring, which is the meaning of its functional token.
        signature: as in Python, e.g. `derivative(expression: Expression, ...)`.
        examples: questions that it answers, for zero-shot routing.
        asks: phrases that ask for it; a question must have one of them, unless there are none.
        words: further words that may stand in a question without changing its meaning.
        in_order: whether values of one type that have no cues stand in the order of the parameters.
        parameters: in the order of the signature.
        libraries: what to import before the clock of a call starts.
        call: the function itself.
    """

    name: str
    description: str
    signature: str
    examples: tuple[str, ...]
    asks: tuple[str, ...]
    words: tuple[str, ...]
    in_order: bool
    parameters: tuple[Parameter, ...]
    libraries: tuple[str, ...]
    call: Callable[..., Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Declaration:
    asks: tuple[str, ...]
    examples: tuple[str, ...]
    cues: Mapping[str, Cue]
    words: tuple[str, ...]
    in_order: bool
    libraries: tuple[str, ...]


def tool(
    *,
    asks: tuple[str, ...],
    examples: tuple[str, ...],
    cues: Mapping[str, Cue] | None = None,
    words: tuple[str, ...] = (),
    in_order: bool = False,
    libraries: tuple[str, ...] = (),
) -> Callable[[Function], Function]:
    """Declare a function as a tool; see `ToolFunction` for the parameters. The function stays as it is."""

    def declare(function: Function) -> Function:
        function.__dict__["declaration"] = _Declaration(
            asks, examples, cues or {}, words, in_order, libraries
        )
        return function

    return declare


def declared(subject: str, module: Any) -> tuple[ToolFunction, ...]:
    """The tools of a module, in the order of the file."""
    functions = [value for value in vars(module).values() if hasattr(value, "declaration")]
    return tuple(_tool_function(subject, function) for function in functions)


def _tool_function(subject: str, function: Callable[..., Any]) -> ToolFunction:
    declaration: _Declaration = function.__dict__["declaration"]
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function)
    return ToolFunction(
        name=f"{subject}.{function.__name__}",
        description=inspect.getdoc(function) or "",
        signature=f"{function.__name__}{signature}".replace("'", ""),
        examples=declaration.examples,
        asks=declaration.asks,
        words=declaration.words,
        in_order=declaration.in_order,
        parameters=tuple(
            Parameter(
                name=name,
                type=_without_none(hints[name]),
                cue=declaration.cues.get(name, Cue()),
                required=parameter.default is inspect.Parameter.empty,
            )
            for name, parameter in signature.parameters.items()
        ),
        libraries=declaration.libraries,
        call=function,
    )


def _without_none(hint: Any) -> Any:
    parts = typing.get_args(hint)
    return next(part for part in parts if part is not NoneType) if NoneType in parts else hint
