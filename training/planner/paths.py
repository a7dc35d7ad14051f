"""Gold paths: JSON lines {"query": …, "path": [node, …]}, checked line by line against the graph."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agents.errors import InputError
from agents.octopus.planning.path_graph import PathGraph
from agents.types import NodeName
from training.rows.labelled_rows import read_json_lines


class PathRow(BaseModel):
    """A request and the path that serves it.

    Attributes:
        query: what a person asks.
        path: the nodes in order, at least one.
        steps: optional texts of single steps, each with its node; they teach what a phrase of a request
            means and need not be as many as the nodes.
    """

    model_config = ConfigDict(extra="ignore")

    query: str = Field(min_length=1)
    path: tuple[NodeName, ...] = Field(min_length=1)
    steps: tuple[PathStep, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> PathRow:
        if not self.query.strip():
            raise ValueError("the query is empty")
        return self


class PathStep(BaseModel):
    """A text that describes one step, and the node that takes it."""

    model_config = ConfigDict(extra="ignore")

    text: str = Field(min_length=1)
    node: NodeName


@dataclass(frozen=True)
class PathRows:
    """The rows whose paths the graph has, and how many left it."""

    rows: list[PathRow]
    outside: int


def read_path_rows(paths: Collection[Path], graph: PathGraph) -> PathRows:
    """All rows of `paths`. A path over an edge that the graph lacks is left out and counted.

    Raises:
        InputError: names file, line and what is wrong, an unknown node among it; also when no row is left.
    """
    rows, outside = [], 0
    for path in paths:
        for number, value in read_json_lines(path):
            row = _row(value, f"{path}:{number}", graph)
            if leaves(row.path, graph):
                outside += 1
            else:
                rows.append(row)
    if not rows:
        left = f" ({outside} paths leave the graph)" if outside else ""
        raise InputError(f"no rows to train on in {', '.join(map(str, paths))}{left}.")
    return PathRows(rows, outside)


def leaves(path: Collection[NodeName], graph: PathGraph) -> bool:
    """Whether a step of `path` is not an edge of the graph, or its last node cannot end a path."""
    places = [graph.entry, *(graph.place[name] for name in path)]
    steps = zip(places, [*places[1:], graph.end], strict=True)
    return not all(step in graph.edges for step in steps)


def _row(value: dict[str, object], place: str, graph: PathGraph) -> PathRow:
    try:
        row = PathRow.model_validate(value)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = ".".join(map(str, fault["loc"]))
        message = fault["msg"].removeprefix("Value error, ")
        raise InputError(f"{place}: {field + ': ' if field else ''}{message}.") from error
    for name in (*row.path, *(step.node for step in row.steps)):
        if name not in graph.place:
            raise InputError(
                f"{place}: {name!r} is not a node of the graph.",
                hint=f"Nodes: {', '.join(sorted(graph.nodes)[:20])}.",
            )
    return row
