"""Put Octopuses side by side: causal and encoder, with and without the extra `languages`, old and new."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.octopus.encoder.octopus import EncoderOctopus, LocalOctopus
from evaluation.report import (
    Advance,
    Interval,
    Report,
    interval,
    no_progress,
    paired_gain,
    share,
    share_and_span,
    span,
    table,
)
from evaluation.routing.metrics import decide_each
from evaluation.task import load_task
from training.rows.labelled_rows import RouterRow, read_json_lines
from training.rows.mmlu import NODE_OF, with_choices


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


FORMS = ("question", "with choices")


@dataclass(frozen=True, slots=True)
class LanguageShare:
    """Hold the share of `rows` questions that went to the right node, alone and with their choices."""

    rows: int
    question: float
    with_choices: float


def node_of(group: str) -> str:
    """Return the node of the mmlu graph for a group of MMLU's subjects."""
    named = {"other": "general", "engineering": "electrical_engineering"}
    return named.get(group, group.replace(" ", "_"))


def measure_languages(
    octopus: LocalOctopus, rows: Sequence[dict[str, Any]], advance: Advance
) -> tuple[dict[str, LanguageShare], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Route every question in both forms.

    Returns:
        The shares of each language, and what is right [rows, forms].
    """
    gold, languages = [node_of(row["group"]) for row in rows], np.array([row["lang"] for row in rows])
    right = []
    for texts in ([row["question"] for row in rows], [with_choices(row) for row in rows]):
        found = decide_each(octopus, [[text] for text in texts], lambda n: advance(n / len(rows) / 2))
        right.append([decision.node == node for decision, node in zip(found, gold, strict=True)])
    both = np.array(right).T
    shares = {
        str(language): LanguageShare(int(own.sum()), *map(float, both[own].mean(axis=0)))
        for language in np.unique(languages)
        for own in [languages == language]
    }
    return shares, both


def evaluate_languages(
    octopuses: Mapping[str, LocalOctopus], data: Path | None, advance: Advance = no_progress
) -> Report:
    """Measure each of `octopuses`, by its name, on the task `exams`.

    Raises:
        InputError: the questions are missing.
    """
    rows = load_task("exams").rows(data)
    figures: dict[str, Any] = {}
    lines = []
    for name, octopus in octopuses.items():
        shares, both = measure_languages(octopus, rows, lambda step: advance(step / len(octopuses)))
        figures[name] = {
            language: {"rows": one.rows, "question": one.question, "with_choices": one.with_choices}
            for language, one in shares.items()
        }
        found = [interval(both[:, form].tolist()) for form in range(len(FORMS))]
        lines.append([name, "all", str(len(rows)), *map(share_and_span, found)])
        lines += [
            [name, language, str(one.rows), share(one.question), share(one.with_choices)]
            for language, one in shares.items()
        ]
    title = ["router", "language", "questions", *FORMS]
    return Report("languages", f"# Exam questions in other languages\n\n{table(title, lines)}\n", figures)


@dataclass(frozen=True, slots=True)
class GateResult:
    """Hold the accuracies of both on the gate, and the gain of the new one."""

    rows: int
    current: float
    candidate: float
    gain: Interval

    @property
    def passed(self) -> bool:
        """Return whether the candidate is better beyond chance: its gain's interval lies above 0."""
        return self.gain.low > 0


def through_the_gate(
    current: EncoderOctopus, candidate: EncoderOctopus, rows: Sequence[RouterRow], *, seed: int = 0
) -> GateResult:
    """Compare two routers of a node on `rows`; to abstain is right on a row without node."""
    before, after = (
        np.array([route.node == row.node for row, route in zip(rows, decided, strict=True)])
        for decided in (
            decide_each(octopus, [[row.query] for row in rows]) for octopus in (current, candidate)
        )
    )
    gain = paired_gain(after, before, seed=seed)
    return GateResult(len(rows), float(before.mean()), float(after.mean()), gain)


def promote(candidate: Path, target: Path) -> None:
    """Move the artifact `target` to `NAME.previous`, and copy `candidate` to its place."""
    fresh, previous = (target.with_name(f"{target.name}.{suffix}") for suffix in ("new", "previous"))
    shutil.rmtree(fresh, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(candidate, fresh)
    if target.exists():
        shutil.rmtree(previous, ignore_errors=True)
        target.rename(previous)
    fresh.rename(target)
