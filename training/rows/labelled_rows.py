"""Training rows: JSON lines, gzip-compressed or not, checked line by line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.errors import InputError


class RouterRow(BaseModel):
    """A query and the node that it belongs to.

    Attributes:
        query: what a person asks.
        node: the right neighbour; null where none fits and the Octopus should abstain.
        rewritten: the query as that neighbour should get it; null where the worker's template makes it.
        variants: the same query in other forms; they stay in the same fold of a cross-validation.
        facet: a finer label within the node (a school subject, say); each gets a token vector of its own.
        weight: importance relative to other rows.
        held_out: whether the row may serve to measure and calibrate; false for text that only supports.
    """

    model_config = ConfigDict(extra="ignore")

    query: str = Field(min_length=1)
    node: str | None
    rewritten: Annotated[str, Field(min_length=1)] | None = None
    variants: tuple[str, ...] = ()
    facet: str = ""
    weight: float = Field(default=1.0, gt=0)
    held_out: bool = True

    @property
    def texts(self) -> tuple[str, ...]:
        """The query and its variants."""
        return (self.query, *self.variants)


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The (line number, object) pairs of `path`; blank lines are passed over.

    Raises:
        InputError: the file cannot be read, is not UTF-8, or a line is not a JSON object.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opener(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _object(line)
    except (UnicodeDecodeError, ValueError) as error:
        raise InputError(
            f"{path}:{number}: {error}.", hint="Each line is one JSON object in UTF-8."
        ) from error
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read: {error}.") from error


def _object(line: bytes) -> dict[str, Any]:
    value = json.loads(line.decode("utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object is needed, not {type(value).__name__}")
    return value


def read_router_rows(paths: Collection[Path], nodes: Collection[str]) -> list[RouterRow]:
    """All rows of `paths`, their nodes checked against the neighbours `nodes`.

    Raises:
        InputError: names file, line and what is wrong; also when there is no row at all.
    """
    rows = []
    for path in paths:
        for number, value in read_json_lines(path):
            try:
                row = RouterRow.model_validate(value)
            except ValidationError as error:
                fault = error.errors(include_url=False)[0]
                field = ".".join(map(str, fault["loc"]))
                raise InputError(f"{path}:{number}: {field}: {fault['msg']}.") from error
            if row.node is not None and row.node not in nodes:
                raise InputError(
                    f"{path}:{number}: {row.node!r} is not a neighbour of the master.",
                    hint=f"Neighbours: {', '.join(sorted(nodes)[:20])}.",
                )
            rows.append(row)
    if not rows:
        raise InputError(f"no rows in {', '.join(map(str, paths))}.")
    return rows
