"""Read gold paths from JSON lines {"query": …, "path": [node, …]}, and compare paths with them."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agents.errors import InputError
from agents.octopus.planning.path_graph import PathGraph
from agents.types import NodeName
from training.rows.labelled_rows import parse_row, read_files


class PathRow(BaseModel):
    """Label a request with the path that serves it.

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
    """Label a text that describes one step with the node that takes it."""

    model_config = ConfigDict(extra="ignore")

    text: str = Field(min_length=1)
    node: NodeName


@dataclass(frozen=True)
class PathRows:
    """Hold the rows whose paths the graph has, and count those that leave it."""

    rows: list[PathRow]
    outside: int


def read_path_rows(paths: Collection[Path], graph: PathGraph) -> PathRows:
    """Read all rows of `paths`; leave out and count paths over an edge that the graph lacks.

    Raises:
        InputError: names file, line and what is wrong, such as an unknown node; also if no row is left.
    """
    rows, outside = [], 0
    for place, value in read_files(paths):
        row = parse_row(PathRow, value, place)
        for name in (*row.path, *(step.node for step in row.steps)):
            if name not in graph.place:
                raise InputError(
                    f"{place}: {name!r} is not a node of the graph.",
                    hint=f"Nodes: {', '.join(sorted(graph.nodes)[:20])}.",
                )
        if leaves(row.path, graph):
            outside += 1
        else:
            rows.append(row)
    if not rows:
        left = f" ({outside} paths leave the graph)" if outside else ""
        raise InputError(f"no rows to train on in {', '.join(map(str, paths))}{left}.")
    return PathRows(rows, outside)


def leaves(path: Collection[NodeName], graph: PathGraph) -> bool:
    """Tell whether a step of `path` is not an edge of the graph, or its last node cannot end a path."""
    places = [graph.entry, *(graph.place[name] for name in path)]
    steps = zip(places, [*places[1:], graph.end], strict=True)
    return not all(step in graph.edges for step in steps)


def node_f1(path: Sequence[Hashable], gold: Sequence[Hashable]) -> float:
    """Return the F1 in [0, 1] of the set of nodes; a repeated node counts once.

    It is defined as for task graphs (X. Wu et al., Can graph learning improve planning in LLM-based agents?,
    NeurIPS 2024): per request, then averaged over requests. So is `link_f1`.
    """
    return _set_f1(path, gold)


def link_f1(path: Sequence[Hashable], gold: Sequence[Hashable]) -> float:
    """Return the F1 in [0, 1] of the set of links, the ordered pairs of consecutive nodes."""
    return _set_f1(list(pairwise(path)), list(pairwise(gold)))


def _set_f1(found: Collection[Hashable], gold: Collection[Hashable]) -> float:
    """Return 2|A ∩ B| / (|A| + |B|) of two collections as sets; 1 where both are empty."""
    own, right = set(found), set(gold)
    if not own and not right:
        return 1.0
    return 2 * len(own & right) / (len(own) + len(right))
