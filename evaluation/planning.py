"""Measure planning on a task graph, beside planning without the neighbour mask, zero-shot and chance."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.errors import InputError
from agents.octopus.planning.path_graph import Path as Places
from agents.octopus.planning.path_graph import PathGraph
from agents.octopus.planning.planner import NextNode, PhrasedQuery, Planner
from agents.types import NodeName
from evaluation.report import (
    Advance,
    Interval,
    Report,
    interval,
    no_progress,
    plain,
    share_and_span,
    tabulate,
)
from evaluation.speed import decision_ratios, ratio_table
from evaluation.task import load_task
from training.rows.paths import link_f1, node_f1

_LONGEST = 8  # steps of a random walk
_STEP = re.compile(r"(?:Step \d+:? *)?Call (\S+?)[.,:]? (?:to )?(.+)", re.DOTALL)

NodePath = tuple[NodeName, ...]


def path_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the task graph's own columns as `octopus train router --paths` reads it.

    Step texts like "Step 1 Call TOOL to do this" become steps where TOOL is on the path.
    """
    path = [node["task"] for node in row["task_nodes"]]
    steps = [match for text in row.get("task_steps", []) if (match := _STEP.match(text))]
    found = [{"node": match[1], "text": match[2]} for match in steps if match[1] in path]
    return {"query": row["user_request"], "path": path, "steps": found}


def read_planning(data: Path, graph: PathGraph) -> tuple[list[str], list[NodePath]]:
    """Return the requests of the test rows below `data`, and their right paths.

    Raises:
        InputError: there are none, or a right path has a node that the graph lacks.
    """
    rows = [path_row(row) for row in load_task("planning").rows(data)]
    unknown = next((name for row in rows for name in row["path"] if name not in graph.place), None)
    if unknown is not None:
        raise InputError(
            f"the graph has no node {unknown!r}, which the task's rows need.",
            hint="Import the task's graph: octopus graph import task-graph DATA/ultratool/graph.json.",
        )
    return [row["query"] for row in rows], [tuple(row["path"]) for row in rows]


@dataclass(frozen=True, slots=True)
class PlanningMetrics:
    """Hold how well planned paths agree with the right ones, over all rows, and what a decision costs.

    Attributes:
        node_f1, link_f1: as `training.rows.paths` defines them.
        exact: share of paths that are right node for node.
        hallucinated_nodes, hallucinated_links: how many planned nodes, and links, the graph does not have.
        decisions_per_second: next-node decisions, the encoder's work done before.
        requests_per_second: whole searches, likewise.
    """

    rows: int
    node_f1: Interval
    link_f1: Interval
    exact: Interval
    hallucinated_nodes: int
    hallucinated_links: int
    decisions_per_second: float
    requests_per_second: float


_COLUMNS: Mapping[str, Callable[[PlanningMetrics], str]] = {
    "Node-F1 %": lambda m: share_and_span(m.node_f1),
    "Link-F1 %": lambda m: share_and_span(m.link_f1),
    "exact %": lambda m: share_and_span(m.exact),
    "made-up nodes": lambda m: str(m.hallucinated_nodes),
    "made-up links": lambda m: str(m.hallucinated_links),
    "decisions/s": lambda m: _rate(m.decisions_per_second),
    "requests/s": lambda m: _rate(m.requests_per_second),
}


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value else "–"


def evaluate_planning(
    planner: Planner, zero_shot: Planner, data: Path, *, advance: Advance = no_progress
) -> Report:
    """Measure `planner` on the test rows below `data`.

    Args:
        planner: what is measured.
        zero_shot: the same graph without an artifact.
        data: folder with `ultratool/test*.jsonl.gz`.
        advance: called with the share of the work that is done.

    Raises:
        InputError: data is missing, or the graph lacks a node that the rows need.
    """
    queries, paths = read_planning(data, planner.graph)
    planners = {
        "**Octopus**": planner,
        "without neighbour mask": without_mask(planner),
        "zero-shot": zero_shot,
        "zero-shot, without mask": without_mask(zero_shot),
    }
    requests = _read_each(planner, queries)
    measured = {}
    for name, own in planners.items():
        read = requests if own.embed == planner.embed else _read_each(own, queries)
        measured[name] = measure_planner(own, read, paths, lambda step: advance(step / (4 * len(paths))))
    walks = random_walk(planner.graph, len(paths))
    measured["chance (random walk)"] = measure_paths(walks, paths, planner.graph)
    ratios = decision_ratios()
    tables = [tabulate("planner", measured, _COLUMNS), ratio_table("a decision", ratios)]
    figures = {"rows": len(paths), "planners": plain(measured), "ratios": plain(ratios)}
    return Report("planning", "\n\n".join(tables), figures)


def _read_each(planner: Planner, queries: Sequence[str]) -> list[PhrasedQuery]:
    return [planner.read([query.strip()])[0] for query in queries]


@dataclass
class Counted:
    """Count the decisions of a model of what comes next."""

    model: NextNode
    decisions: int = 0

    @property
    def calibrated(self) -> bool:
        """Return whether the model is calibrated."""
        return self.model.calibrated

    def evidence(self, request: PhrasedQuery) -> Any:
        """Return the model's evidence."""
        return self.model.evidence(request)

    def log_probabilities(
        self, evidence: Any, visited: Places, at: int, candidates: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the model's log-probabilities, and count."""
        self.decisions += 1
        return self.model.log_probabilities(evidence, visited, at, candidates)


@dataclass(frozen=True)
class Unmasked(PathGraph):
    """Let every node follow every other, as planning without the neighbour mask does."""

    def candidates(self, at: int, visited: Places) -> NDArray[np.int64]:
        """Return all nodes and, after a step, the end."""
        every = np.array([k for k, stops in enumerate(self.stops) if stops], dtype=np.int64)
        return np.append(every, self.end) if visited else every


def without_mask(planner: Planner) -> Planner:
    """Return `planner` with all nodes as candidates of every decision."""
    graph = planner.graph
    free = Unmasked(graph.nodes, graph.neighbours, graph.stops, graph.entry)
    return Planner(free, planner.model, planner.embed)


def measure_planner(
    planner: Planner,
    requests: Sequence[PhrasedQuery],
    gold: Sequence[NodePath],
    advance: Advance = no_progress,
) -> PlanningMetrics:
    """Plan all `requests`, which are embedded already, and compare."""
    counted = Counted(planner.model)
    plans = Planner(planner.graph, counted, planner.embed)
    found, started = [], time.perf_counter()
    for request in requests:
        found.append(plans.plan(request).path)
        advance(1)
    seconds = time.perf_counter() - started
    return measure_paths(found, gold, planner.graph, counted.decisions / seconds, len(found) / seconds)


def measure_paths(
    found: Sequence[NodePath],
    gold: Sequence[NodePath],
    graph: PathGraph,
    decisions_per_second: float = 0.0,
    requests_per_second: float = 0.0,
) -> PlanningMetrics:
    """Return metrics of the paths `found`."""
    pairs = list(zip(found, gold, strict=True))
    place = graph.place
    nodes = [name for path in found for name in path]
    links = [link for path in found for link in pairwise(path)]
    unknown = [(a, b) for a, b in links if (place.get(a, -1), place.get(b, -1)) not in graph.edges]
    return PlanningMetrics(
        rows=len(pairs),
        node_f1=interval([node_f1(*pair) for pair in pairs]),
        link_f1=interval([link_f1(*pair) for pair in pairs]),
        exact=interval([path == right for path, right in pairs]),
        hallucinated_nodes=sum(name not in place for name in nodes),
        hallucinated_links=len(unknown),
        decisions_per_second=decisions_per_second,
        requests_per_second=requests_per_second,
    )


def random_walk(graph: PathGraph, rows: int, *, seed: int = 0) -> list[NodePath]:
    """Return paths of neighbours taken at random until the end comes up: chance."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(rows):
        path: Places = ()
        while len(path) < _LONGEST:
            candidates = graph.candidates(path[-1] if path else graph.entry, path)
            choice = int(random.choice(candidates))
            if choice == graph.end:
                break
            path = (*path, choice)
        found.append(tuple(graph.nodes[k] for k in path))
    return found
