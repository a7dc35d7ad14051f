"""`octopus eval planning`: the planner with and without the neighbour mask, beside zero-shot and chance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agents.octopus.planning.planner import Planner
from evaluation.intervals import Interval
from evaluation.labs.planning_speed import decision_ratios
from evaluation.planning.benchmark import (
    PlanningMetrics,
    measure_paths,
    measure_planner,
    random_walk,
    read_planning,
    without_mask,
)
from evaluation.report import Report, share, table
from evaluation.routing.benchmark import plain

_HEADINGS = (
    "planner", "Node-F1 %", "Link-F1 %", "exact %", "made-up nodes", "made-up links", "decisions/s",
    "requests/s",
)  # fmt: skip


def evaluate_planning(
    planner: Planner, zero_shot: Planner, data: Path, *, advance: Callable[[float], None] = lambda step: None
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
    rows = read_planning(data, planner.graph)
    requests = [planner.read([query.strip()])[0] for query in rows.queries]
    measured = {}
    planners = {
        "**Octopus**": planner,
        "without neighbour mask": without_mask(planner),
        "zero-shot": zero_shot,
        "zero-shot, without mask": without_mask(zero_shot),
    }
    for name, own in planners.items():
        read = requests if own.embed == planner.embed else [own.read([q.strip()])[0] for q in rows.queries]
        measured[name] = measure_planner(own, read, rows.paths, lambda n: advance(n / (4 * len(requests))))
    measured["chance (random walk)"] = measure_paths(
        random_walk(planner.graph, len(rows.paths)), rows.paths, planner.graph
    )
    ratios = decision_ratios()
    parts = [
        table(_HEADINGS, [[name, *_cells(own)] for name, own in measured.items()]),
        table(
            ("a decision", "ratio", "ms", "beside ms"),
            [
                [name, f"{r.ratio:.2f}", f"{r.milliseconds:.2f}", f"{r.baseline_milliseconds:.2f}"]
                for name, r in ratios.items()
            ],
        ),
    ]
    figures = {"rows": len(rows.paths), "planners": plain(measured), "ratios": plain(ratios)}
    return Report("planning", "\n\n".join(parts), figures)


def _cells(metrics: PlanningMetrics) -> list[str]:
    return [
        _with_interval(metrics.node_f1),
        _with_interval(metrics.link_f1),
        _with_interval(metrics.exact),
        str(metrics.hallucinated_nodes),
        str(metrics.hallucinated_links),
        _rate(metrics.decisions_per_second),
        _rate(metrics.requests_per_second),
    ]


def _with_interval(found: Interval) -> str:
    return f"{share(found.mean)} ({share(found.low)}–{share(found.high)})"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value else "–"
