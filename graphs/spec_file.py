"""Read a graph spec: a YAML file → validated `GraphSpec`, or an error with its lines.

Duplicate keys are refused, line numbers kept, and `${VAR}` is read from the environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from yaml.constructor import SafeConstructor

from agents.errors import SpecError
from graphs.spec import GraphSpec, UnsoundError

GRAPHS = Path(__file__).parent
_LEAST = "Write at least `masters:` and `workers:`; `octopus graph new NAME` makes one to start from."
_VARIABLE = re.compile(r"\$(?P<escaped>\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_DEEPEST = 100  # nested lists and mappings: the C parser's stack is not endless
_MOST_VALUES = 2_000_000  # after anchors are expanded, which can multiply

Lines = dict[tuple[str, ...], int]
"""Map a key path, e.g. `("workers", "math")`, to its line in the file, counted from 1."""


def parse_spec(
    text: str, *, source: str = "<spec>", environment: Mapping[str, str] | None = None
) -> GraphSpec:
    """Validate the YAML `text` of a spec.

    Args:
        text: the YAML document.
        source: its name in messages, e.g. the path.
        environment: what `${VAR}` is read from; None takes `os.environ`.

    Raises:
        SpecError: names the source, the line where it is known, the offender and the remedy.
    """
    values, lines = load_yaml(text, source=source)
    if not values:
        raise SpecError(f"{source}: the graph is empty.", hint=_LEAST)
    if not isinstance(values, dict):
        kind = "a list" if isinstance(values, list) else "a single value"
        raise SpecError(f"{source}: a graph is a mapping, and this is {kind}.", hint=_LEAST)
    values = interpolate(values, os.environ if environment is None else environment, source=source)
    values.setdefault("name", Path(source).stem if source != "<spec>" else "graph")
    return spec_of(values, source=source, lines=lines)


def spec_of(values: dict[str, Any], *, source: str = "<spec>", lines: Lines | None = None) -> GraphSpec:
    """Validate the values of a spec; the first master is the entry if none is named.

    Args:
        values: by key, as in YAML.
        source: its name in messages.
        lines: where each key is.

    Raises:
        SpecError: names the source, the line where it is known, the offender and the remedy.
    """
    if "entry" not in values and isinstance(values.get("masters"), dict) and values["masters"]:
        values = {**values, "entry": next(iter(values["masters"]))}
    try:
        return GraphSpec.model_validate({**values, "source": source})
    except ValidationError as error:
        raise SpecError(_explain(error, source, lines or {})) from error


def _explain(error: ValidationError, source: str, lines: Lines) -> str:
    found = []
    for fault in error.errors(include_url=False):
        unsound = fault.get("ctx", {}).get("error")
        path = unsound.path if isinstance(unsound, UnsoundError) else tuple(map(str, fault["loc"]))
        line = next((lines[path[:k]] for k in range(len(path), 0, -1) if path[:k] in lines), None)
        place = f"{source}:{line}" if line else source
        message = fault["msg"].removeprefix("Value error, ").rstrip(".")
        if fault["type"] == "extra_forbidden":
            message = f"unknown key; {_instead(fault['loc'])}"
        where = ".".join(map(str, fault["loc"]))
        found.append(
            f"{place}: {where + ': ' if where else ''}{message}{'' if message.endswith('?') else '.'}"
        )
    return "\n".join(found[:10])


def _instead(place: Sequence[str | int]) -> str:
    """Say what could stand in place of an unknown key: the nearest that is known, else all of them."""
    kind: Any = GraphSpec
    for part in place[:-1]:
        model = isinstance(kind, type) and issubclass(kind, BaseModel)
        kind = kind.model_fields[str(part)].annotation if model else get_args(kind)[-1]
        if isinstance(kind, UnionType):  # e.g. Price | None
            kind = get_args(kind)[0]
    known = [key for key in kind.model_fields if key != "source"]
    near = get_close_matches(str(place[-1]), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def load_spec(path: Path, *, environment: Mapping[str, str] | None = None) -> GraphSpec:
    """Read and validate the spec at `path`.

    Raises:
        SpecError: the file cannot be read, is not UTF-8, or its spec is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not UTF-8 at byte {error.start}.", hint="Save it as UTF-8.") from error
    return parse_spec(text, source=str(path), environment=environment)


def find_spec(graph: str) -> GraphSpec:
    """Return the spec named `graph`: a shipped one (`mmlu`), a YAML file, or a folder of `octopus graph new`.

    Raises:
        SpecError: there is no such graph, or its spec is wrong.
    """
    shipped = GRAPHS / f"{graph}.yaml"
    path = shipped if graph.isidentifier() and shipped.is_file() else Path(graph)
    if path.is_dir():
        path /= f"{path.resolve().name}.yaml"
    if not path.exists():
        names = ", ".join(sorted(p.stem for p in GRAPHS.glob("*.yaml")))
        raise SpecError(f"there is no graph {graph!r}.", hint=f"Give the path of a spec, or one of: {names}.")
    return load_spec(path)


def inner_spec(spec: GraphSpec, graph: str) -> GraphSpec:
    """Return the spec of a worker that is a graph: a file beside this spec, or else as `find_spec` does."""
    beside = spec.folder / graph
    return find_spec(str(beside) if beside.is_file() else graph)


def with_inner(spec: GraphSpec, around: tuple[str, ...] = ()) -> Iterator[GraphSpec]:
    """Yield a spec, and those of the graphs inside it."""
    yield spec
    around = (*around, spec.source)
    for worker in spec.workers.values():
        if worker.graph is not None and (inner := inner_spec(spec, worker.graph)).source not in around:
            yield from with_inner(inner, around)


def load_yaml(text: str, *, source: str) -> tuple[Any, Lines]:
    """Parse `text`; return the values and the line of every key.

    Args:
        text: a YAML document.
        source: its name in error messages.

    Raises:
        SpecError: bad YAML, nested too deep, or a key that stands twice, with the line number.
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
