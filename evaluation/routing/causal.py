"""Measure a causal Octopus beside the encoder, on rows that it was made for and on real questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.octopus.encoder.octopus import LocalOctopus
from evaluation.report import Advance, Report, interval, no_progress, share, span, table
from evaluation.routing.metrics import decide_each
from evaluation.task import load_task
from training.rows.labelled_rows import RouterRow, read_json_lines
from training.rows.mmlu import NODE_OF


@dataclass(frozen=True, slots=True)
class CausalMetrics:
    """Hold shares in [0, 1] of `rows` queries: right routes and, where rows say one, exact rewrites."""

    rows: int
    route: float
    low: float
    high: float
    exact: float | None


def measure_rows(octopus: LocalOctopus, rows: Sequence[RouterRow], advance: Advance) -> CausalMetrics:
    """Route every row with its rewrite, cascade included."""
    routes = decide_each(octopus, [[row.query] for row in rows], lambda step: advance(step / len(rows)))
    pairs = list(zip(rows, routes, strict=True))
    found = interval([route.node == row.node for row, route in pairs])
    exact = [route.node == row.node and route.rewritten == row.rewritten for row, route in pairs]
    known = all(row.rewritten for row in rows)
    return CausalMetrics(
        len(rows), found.mean, found.low, found.high, sum(exact) / len(rows) if known else None
    )


def real_questions(data: Path, nodes: Sequence[str]) -> dict[str, list[RouterRow]]:
    """Return MMLU's validation questions without their choices, and natural queries, those for `nodes`."""
    found: dict[str, list[RouterRow]] = {"MMLU val": []}
    for _, row in read_json_lines(data / "mmlu" / "val.jsonl.gz"):
        node = NODE_OF[row["subject"]]
        if node in nodes:
            found["MMLU val"].append(RouterRow(query=row["question"], node=node))
    task = load_task("natural")
    for row in task.rows():
        if row["node"] in nodes:
            kind = task.kinds[row["node"]]
            found.setdefault(kind, []).append(RouterRow(query=row["query"], node=row["node"]))
    return found


def evaluate_causal(
    octopuses: Mapping[str, LocalOctopus],
    held_out: Sequence[RouterRow],
    data: Path | None,
    advance: Advance = no_progress,
) -> Report:
    """Measure all of `octopuses`, by the name they have in the report, on `held_out` and on real questions.

    Args:
        octopuses: of one graph.
        held_out: rows that none of them was trained on.
        data: folder of public data; None measures `held_out` alone.
        advance: called with shares of all that there is to do.
    """
    nodes = [str(neighbour.node) for neighbour in next(iter(octopuses.values())).neighbours]
    parts = {"held-out rows": list(held_out)} | (real_questions(data, nodes) if data else {})
    total = len(parts) * len(octopuses)
    lines, figures = [], []
    for part, rows in parts.items():
        for name, octopus in octopuses.items():
            own = measure_rows(octopus, rows, lambda step: advance(step / total))
            cells = (share(own.route), span(own.low, own.high), share(own.exact))
            lines.append([part, name, str(own.rows), *cells])
            figures.append(
                {"part": part, "octopus": name, "rows": own.rows, "route": own.route, "exact": own.exact}
            )
    headings = ("rows", "Octopus", "n", "right %", "95 %", "exact rewrite %")
    return Report("causal", table(headings, lines), {"rows": figures})
