"""Read labelled rows for the router from JSON lines, gzip-compressed or not, and check every line."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.errors import InputError
from agents.types import NodeName

Facet = tuple[NodeName | None, str]
M = TypeVar("M", bound=BaseModel)


class RouterRow(BaseModel):
    """Label a query with the node that it belongs to.

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
        """Return the query and its variants."""
        return (self.query, *self.variants)


@dataclass(frozen=True)
class Labelled:
    """Hold rows with the facet of each: `labels` [n] are places in `facets`."""

    rows: Sequence[RouterRow]
    facets: Sequence[Facet]
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[RouterRow], known: Sequence[Facet] = ()) -> Labelled:
        """Number the facets of `rows`; those `known` come first."""
        own: list[Facet] = [(None if row.node is None else NodeName(row.node), row.facet) for row in rows]
        new = sorted(set(own) - set(known), key=lambda facet: (facet[0] is None, facet[0] or "", facet[1]))
        facets = [*known, *new]
        place = {facet: k for k, facet in enumerate(facets)}
        return cls(rows, facets, np.asarray([place[facet] for facet in own], dtype=np.int64))

    @property
    def nodes(self) -> list[NodeName | None]:
        """Return the nodes of the facets, each once."""
        return list(dict.fromkeys(node for node, _ in self.facets))

    @property
    def owner(self) -> NDArray[np.int64]:
        """Return the index in `nodes` of each facet's node."""
        nodes = self.nodes
        return np.asarray([nodes.index(node) for node, _ in self.facets], dtype=np.int64)

    def pick(self, indices: Sequence[int]) -> Labelled:
        """Return the rows at `indices`, with all facets."""
        return Labelled([self.rows[k] for k in indices], self.facets, self.labels[list(indices)])


def fold_of(rows: Sequence[RouterRow], folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold [n] that each measured row is held out in; -1 for rows that only support.

    Raises:
        InputError: too few rows may be held out.
    """
    measured = [k for k, row in enumerate(rows) if row.held_out]
    if len(measured) < folds:
        raise InputError(
            f"{len(measured)} rows that may be held out are too few for {folds} folds.",
            hint="Give more rows.",
        )
    place = np.full(len(rows), -1, dtype=np.int64)
    place[np.random.default_rng(seed).permutation(measured)] = np.arange(len(measured)) % folds
    return place


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line number and object of each line of `path`, of standard input for -; skip blank lines.

    Raises:
        InputError: the file cannot be read, is not UTF-8, or a line is not a JSON object.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with nullcontext(sys.stdin.buffer) if str(path) == "-" else opener(path, "rb") as file:
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


def read_files(paths: Collection[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every line of `paths` as its place (file:line) and its object.

    Raises:
        InputError: as `read_json_lines`.
    """
    for path in paths:
        for number, value in read_json_lines(path):
            yield f"{path}:{number}", value


def parse_row(kind: type[M], value: dict[str, Any], place: str) -> M:
    """Validate one row.

    Raises:
        InputError: names the place, the first faulty field and what is wrong with it.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = ".".join(map(str, fault["loc"]))
        message = fault["msg"].removeprefix("Value error, ")
        raise InputError(f"{place}: {field + ': ' if field else ''}{message}.") from error


def read_router_rows(paths: Collection[Path], nodes: Collection[str]) -> list[RouterRow]:
    """Read all rows of `paths` and check their nodes against the neighbours `nodes`.

    Raises:
        InputError: names file, line and what is wrong; also if there is no row at all.
    """
    rows = []
    for place, value in read_files(paths):
        row = parse_row(RouterRow, value, place)
        if row.node is not None and row.node not in nodes:
            raise InputError(
                f"{place}: {row.node!r} is not a neighbour of the master.",
                hint=f"Neighbours: {', '.join(sorted(nodes)[:20])}.",
            )
        rows.append(row)
    if not rows:
        raise InputError(f"no rows in {', '.join(map(str, paths))}.")
    return rows
