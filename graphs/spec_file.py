"""Read a graph spec: a YAML file → validated `GraphSpec`, or an error with its lines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from agents.errors import SpecError
from graphs.soundness import UnsoundError
from graphs.spec import GraphSpec
from graphs.yaml_loader import Lines, interpolate, load_yaml

_LEAST = "Write at least `masters:` and `workers:`; `octopus graph new NAME` makes one to start from."


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
    if "entry" not in values and isinstance(values.get("masters"), dict) and values["masters"]:
        values["entry"] = next(iter(values["masters"]))
    try:
        return GraphSpec.model_validate({**values, "source": source})
    except ValidationError as error:
        raise SpecError(_explain(error, source, lines)) from error


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
    """Suggest the known key nearest to an unknown one, else list all known keys."""
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
