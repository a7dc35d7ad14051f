"""A causal Octopus beside the encoder, on rows that it was made for and on real questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.octopus.conversation.human_turns import clean_turns
from agents.octopus.local import LocalOctopus
from evaluation.metrics import bootstrap_interval
from evaluation.report import Report, share, table
from evaluation.task import load_task
from training.rows.labelled_rows import RouterRow, read_json_lines
from training.rows.mmlu import NODE_OF

_CHUNK = 64

Advance = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class CausalMetrics:
    """Of `rows` queries: shares in [0, 1] of right routes and, where rows say one, of exact rewrites."""

    rows: int
    route: float
    low: float
    high: float
    exact: float | None


def measure_rows(octopus: LocalOctopus, rows: Sequence[RouterRow], advance: Advance) -> CausalMetrics:
    """Route every row with its rewrite, cascade included."""
    right: list[bool] = []
    exact = 0
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        for row, route in zip(
            chunk, octopus.decide_all([clean_turns([row.query]) for row in chunk]), strict=True
        ):
            right.append(route.node == row.node)
            exact += route.node == row.node and route.rewritten == row.rewritten
        advance(len(chunk) / len(rows))
    low, high = bootstrap_interval(np.array(right))
    known = all(row.rewritten for row in rows)
    return CausalMetrics(len(rows), sum(right) / len(rows), low, high, exact / len(rows) if known else None)


def real_questions(data: Path, nodes: Sequence[str]) -> dict[str, list[RouterRow]]:
    """MMLU's validation questions without their choices, and natural queries, those for `nodes`."""
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
    advance: Advance = lambda step: None,
) -> Report:
    """All of `octopuses`, by the name they have in the report, on `held_out` and on real questions.

    Args:
        octopuses: of one graph.
        held_out: rows that none of them was trained on.
        data: folder of public data; None measures `held_out` alone.
        advance: called with shares of all that there is to do.
    """
    nodes = [str(neighbour.node) for neighbour in next(iter(octopuses.values())).neighbours]
    parts = {"held-out rows": list(held_out)} | (real_questions(data, nodes) if data else {})
    total = len(parts) * len(octopuses)
    found = {
        (part, name): measure_rows(octopus, rows, lambda step: advance(step / total))
        for part, rows in parts.items()
        for name, octopus in octopuses.items()
    }
    lines = [
        [part, name, str(own.rows), share(own.route), f"{share(own.low)}–{share(own.high)}", share(own.exact)]
        for (part, name), own in found.items()
    ]
    markdown = table(("rows", "Octopus", "n", "right %", "95 %", "exact rewrite %"), lines)
    figures = [
        {"part": part, "octopus": name, "rows": own.rows, "route": own.route, "exact": own.exact}
        for (part, name), own in found.items()
    ]
    return Report("causal", markdown, {"rows": figures})
