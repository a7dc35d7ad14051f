"""Read a graph spec: a YAML file → validated `GraphSpec`, or an error with its lines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from agents.errors import SpecError
from graphs.soundness import UnsoundError
from graphs.spec import GraphSpec
from graphs.yaml_loader import Lines, interpolate, load_yaml


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
    if not isinstance(values, dict) or not values:
        raise SpecError(f"{source}: the graph is empty.", hint="Write at least masters, workers and entry.")
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
        where = ".".join(map(str, fault["loc"]))
        found.append(f"{place}: {where + ': ' if where else ''}{message}.")
    return "\n".join(found[:10])


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
