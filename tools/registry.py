"""Find functions by subject. Only what is found here can be called in the sandbox."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import cache

from tools.declaration import ToolError, ToolFunction

SUBJECTS = (
    "algebra",
    "arithmetic",
    "calculus",
    "chemistry",
    "constants",
    "dates",
    "encodings",
    "everyday",
    "finance",
    "geography",
    "linear_algebra",
    "number_theory",
    "numbers",
    "statistics",
    "units",
)
_PARTS = {"dates": ("dates", "clocks")}
"""The modules of the subjects that are more than one."""


def functions(*names: str) -> tuple[ToolFunction, ...]:
    """Return the functions that a spec names, in its order and without repetition.

    Args:
        names: a subject ("calculus") for all of its functions, or one function ("calculus.derivative").

    Raises:
        ToolError: for an unknown name.
    """
    found: dict[str, ToolFunction] = {}
    for name in names:
        subject, _, single = name.partition(".")
        chosen = (function(name),) if single else _subject(subject)
        found.update((one.name, one) for one in chosen)
    return tuple(found.values())


def function(name: str) -> ToolFunction:
    """Return the function called `subject.function`.

    Raises:
        ToolError: for an unknown name.
    """
    offered = _subject(name.partition(".")[0])
    for one in offered:
        if one.name == name:
            return one
    raise ToolError(f"There is no tool {name!r}. Choose one of: {', '.join(one.name for one in offered)}.")


@cache
def _subject(subject: str) -> tuple[ToolFunction, ...]:
    if subject not in SUBJECTS:
        raise ToolError(f"There is no subject {subject!r} of tools. Choose one of: {', '.join(SUBJECTS)}.")
    modules = [importlib.import_module(f"tools.subjects.{part}") for part in _PARTS.get(subject, (subject,))]
    found = (getattr(value, "tool", None) for module in modules for value in vars(module).values())
    declared = (one for one in found if isinstance(one, ToolFunction))
    return tuple(replace(one, name=f"{subject}.{one.name.partition('.')[2]}") for one in declared)
