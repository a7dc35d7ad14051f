"""Load YAML as plain values: refuse duplicate keys, keep line numbers, fill in `${VAR}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from agents.errors import SpecError

_VARIABLE = re.compile(r"\$(?P<escaped>\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_DEEPEST = 100  # nested lists and mappings: the C parser's stack is not endless
_MOST_VALUES = 2_000_000  # after anchors are expanded, which can multiply

Lines = dict[tuple[str, ...], int]
"""Key path, e.g. `("workers", "math")` → its line in the file, counted from 1."""


def load_yaml(text: str, *, source: str) -> tuple[Any, Lines]:
    """Parse `text` and return its values and the line of every key.

    Args:
        text: a YAML document.
        source: its name in error messages.

    Raises:
        SpecError: the YAML is bad, nested too deep, or repeats a key; names the line.
    """
    try:
        _refuse_depth(text, source)
        root = yaml.compose(text, Loader=_Loader)
        if root is None:
            return None, {}
        lines: Lines = {}
        _check(root, (), lines, source, count(1))
        return SafeConstructor().construct_document(root), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}:{mark.line + 1}" if mark else source
        raise SpecError(f"{where}: not valid YAML: {error.problem}.") from error
    except SpecError:
        raise
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SpecError(f"{source}: not valid YAML: {error}.") from error


def _refuse_depth(text: str, source: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise SpecError(f"{source}:{line}: nested deeper than {_DEEPEST} levels.")


def _check(node: yaml.Node, path: tuple[str, ...], lines: Lines, source: str, visits: Iterator[int]) -> None:
    if next(visits) > _MOST_VALUES:
        raise SpecError(f"{source}: more than {_MOST_VALUES:,} values once its anchors are expanded.")
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _check(item, (*path, str(index)), lines, source, visits)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        inner = (*path, str(key.value))
        line = key.start_mark.line + 1
        if inner in lines:
            raise SpecError(
                f"{source}:{line}: {key.value!r} stands twice (first on line {lines[inner]}).",
                hint="Names must be unique.",
            )
        lines[inner] = line
        _check(value, inner, lines, source, visits)


def interpolate(value: Any, environment: Mapping[str, str], *, source: str) -> Any:
    """Replace `${VAR}` and `${VAR:-default}` in every string of `value`; `$${` is a plain `${`.

    An empty VAR takes the default.

    Raises:
        SpecError: a variable without a default is not set.
    """
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _lookup(match, environment, source), value)
    if isinstance(value, dict):
        return {key: interpolate(item, environment, source=source) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolate(item, environment, source=source) for item in value]
    return value


def _lookup(match: re.Match[str], environment: Mapping[str, str], source: str) -> str:
    if match["escaped"]:
        return "${"
    name, default = match["name"], match["default"]
    if found := environment.get(name):
        return found
    if default is None:
        raise SpecError(
            f"{source}: the environment variable {name!r} is not set.",
            hint=f"Set it, or write ${{{name}:-default}}.",
        )
    return default
