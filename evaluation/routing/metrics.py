"""Score routing: accuracy with its interval, top-2, calibration, confusion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.errors import InputError
from agents.octopus.calibration import expected_calibration_error
from agents.octopus.conversation.human_turns import Said
from agents.octopus.encoder.octopus import LocalOctopus
from agents.types import Decision
from evaluation.report import Advance, interval, no_progress, share, span

NONE = -1
"""Stands for "no neighbour" among the places of chosen nodes."""

_CHUNK = 256


@dataclass(frozen=True)
class Predictions:
    """Hold what a router says of n queries.

    Attributes:
        chosen: [n], the index of the chosen node, or `NONE` where it abstains.
        scores: [n, nodes], higher is likelier.
        are_probabilities: whether `scores` are, so that their calibration can be measured.
    """

    chosen: NDArray[np.int64]
    scores: NDArray[np.floating]
    are_probabilities: bool = True

    @classmethod
    def best_of(cls, scores: NDArray[np.floating], *, are_probabilities: bool) -> Predictions:
        """Return the predictions of a router that always takes the best."""
        return cls(scores.argmax(axis=1).astype(np.int64), scores, are_probabilities)

    def __getitem__(self, rows: NDArray[np.bool_]) -> Predictions:
        """Return the predictions for some of the queries."""
        return Predictions(self.chosen[rows], self.scores[rows], self.are_probabilities)


def decide_each(
    octopus: LocalOctopus, conversations: Sequence[Said], advance: Advance = no_progress
) -> Iterator[Decision]:
    """Yield what `octopus` decides for each of `conversations`, cascade included."""
    for start in range(0, len(conversations), _CHUNK):
        chunk = conversations[start : start + _CHUNK]
        yield from octopus.decide_all(chunk)
        advance(len(chunk))


def predict(
    octopus: LocalOctopus, conversations: Sequence[Said], advance: Advance = no_progress
) -> Predictions:
    """Return the decisions for `conversations` as places and probabilities."""
    place = {neighbour.node: k for k, neighbour in enumerate(octopus.neighbours)}
    chosen = np.full(len(conversations), NONE, dtype=np.int64)
    scores = np.zeros((len(conversations), len(place)))
    for row, route in enumerate(decide_each(octopus, conversations, advance)):
        if route.node is not None:
            chosen[row] = place[route.node]
        for choice in route.choices:
            scores[row, place[choice.node]] = choice.probability
    return Predictions(chosen, scores)


def check_nodes(octopus: LocalOctopus, nodes: Sequence[str]) -> list[str]:
    """Return the neighbours of `octopus`, in order.

    Raises:
        InputError: one of `nodes` is not among them.
    """
    known = [str(neighbour.node) for neighbour in octopus.neighbours]
    missing = sorted(set(nodes) - set(known))
    if missing:
        raise InputError(
            f"the graph has no neighbour {missing[0]!r}, which the task's rows need.",
            hint="Evaluate a graph with the seventeen nodes of mmlu.",
        )
    return known


def places(nodes: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    """Return the index of each of `names` in `nodes`."""
    place = {node: k for k, node in enumerate(nodes)}
    return np.array([place[name] for name in names], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class RoutingMetrics:
    """Hold shares in [0, 1].

    Attributes:
        accuracy: share of rows that are routed right; abstaining is not.
        low, high: its 95 % bootstrap interval.
        macro: mean of the accuracies of the nodes that occur.
        top2: share whose right node is among the two best.
        ece: expected calibration error of the best, 15 bins; None where scores are no probabilities.
        abstained: share without a node.
    """

    rows: int
    accuracy: float
    low: float
    high: float
    macro: float
    top2: float
    ece: float | None
    abstained: float


COLUMNS: Mapping[str, Callable[[RoutingMetrics], str]] = {
    "micro %": lambda m: share(m.accuracy),
    "95 %": lambda m: span(m.low, m.high),
    "macro %": lambda m: share(m.macro),
    "top-2 %": lambda m: share(m.top2),
    "ECE": lambda m: "–" if m.ece is None else f"{m.ece:.3f}",
    "none %": lambda m: share(m.abstained),
}


def measure(predictions: Predictions, gold: NDArray[np.int64]) -> RoutingMetrics:
    """Return the metrics of `predictions` against the right places `gold` [n], n > 0."""
    right = predictions.chosen == gold
    best_two = np.argsort(-predictions.scores, axis=1, kind="stable")[:, :2]
    found = interval(right)
    ece = expected_calibration_error(predictions.scores, gold) if predictions.are_probabilities else None
    return RoutingMetrics(
        rows=len(gold),
        accuracy=found.mean,
        low=found.low,
        high=found.high,
        macro=float(np.mean([right[gold == node].mean() for node in np.unique(gold)])),
        top2=float((best_two == gold[:, None]).any(axis=1).mean()),
        ece=ece,
        abstained=float((predictions.chosen == NONE).mean()),
    )


def confusion(chosen: NDArray[np.int64], gold: NDArray[np.int64], nodes: int) -> NDArray[np.int64]:
    """Return counts [nodes, nodes + 1]: rows are right nodes, columns chosen ones, the last for none."""
    counts = np.zeros((nodes, nodes + 1), dtype=np.int64)
    np.add.at(counts, (gold, np.where(chosen == NONE, nodes, chosen)), 1)
    return counts


def draw_confusion(path: Path, *, counts: NDArray[np.int64], nodes: Sequence[str]) -> None:
    """Draw what `confusion` counted, as a PNG; columns are the nodes and "none"."""
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
