"""Reports: a Markdown table to read, JSON to compute with, and the confusion picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics import RoutingMetrics


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def share(value: float | None) -> str:
    """A share in per cent, or a dash."""
    return "–" if value is None else f"{100 * value:.1f}"


ROUTING_HEADINGS = ("router", "form", "micro %", "95 %", "macro %", "top-2 %", "ECE", "none %")


def routing_line(router: str, form: str, metrics: RoutingMetrics) -> list[str]:
    """The cells of one router on one form."""
    return [
        router,
        form,
        share(metrics.accuracy),
        f"{share(metrics.low)}–{share(metrics.high)}",
        share(metrics.macro),
        share(metrics.top2),
        "–" if metrics.ece is None else f"{metrics.ece:.3f}",
        share(metrics.abstained),
    ]


def draw_confusion(path: Path, counts: NDArray[np.int64], nodes: Sequence[str]) -> None:
    """The confusion picture.

    Args:
        path: of the PNG.
        counts: [nodes, nodes + 1] as `metrics.confusion` gives them.
        nodes: names of rows; columns are the same and "none".
    """
    from matplotlib.figure import Figure

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 2.5 + 0.4 * len(nodes)
    figure = Figure(figsize=(size + 0.5, size), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(nodes) + 1), [*nodes, "none"], rotation=90)
    axes.set_yticks(range(len(nodes)), nodes)
    axes.set_xlabel("chosen")
    axes.set_ylabel("right")
    for (row, column), value in np.ndenumerate(shares):
        if value >= 0.005:
            colour = "white" if value > 0.5 else "black"
            axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=7, color=colour)
    figure.savefig(path)  # a bare Figure draws with Agg, without a display


@dataclass(frozen=True)
class Report:
    """What a measurement found.

    Attributes:
        name: of its files.
        markdown: tables.
        figures: the same as JSON values.
        confusions: counts and nodes of each picture.
    """

    name: str
    markdown: str
    figures: dict[str, Any]
    confusions: dict[str, tuple[NDArray[np.int64], list[str]]] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write pictures and Markdown, then the JSON, which makes the report complete."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, (counts, nodes) in self.confusions.items():
            draw_confusion(folder / f"{self.name}-{name}.png", counts, nodes)
        (folder / f"{self.name}.md").write_text(self.markdown + "\n", encoding="utf-8")
        (folder / f"{self.name}.json").write_text(json.dumps(self.figures, indent=2) + "\n", encoding="utf-8")
