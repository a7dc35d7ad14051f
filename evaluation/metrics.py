"""Figures of routing: accuracy with its interval, top-2, calibration, confusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.octopus.calibration import expected_calibration_error

NONE = -1
"""The place of "no neighbour" among chosen ones."""


@dataclass(frozen=True)
class Predictions:
    """What a router says of n queries.

    Attributes:
        chosen: [n], the place of the chosen node, or `NONE` where it abstains.
        scores: [n, nodes], higher is likelier.
        are_probabilities: whether `scores` are, so that their calibration can be measured.
    """

    chosen: NDArray[np.int64]
    scores: NDArray[np.floating]
    are_probabilities: bool = True

    @classmethod
    def best_of(cls, scores: NDArray[np.floating], *, are_probabilities: bool) -> Predictions:
        """A router that always takes the best."""
        return cls(scores.argmax(axis=1).astype(np.int64), scores, are_probabilities)


@dataclass(frozen=True, slots=True)
class RoutingMetrics:
    """Shares in [0, 1].

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


def measure(predictions: Predictions, gold: NDArray[np.int64]) -> RoutingMetrics:
    """Metrics of `predictions` against the right places `gold` [n], n > 0."""
    right = predictions.chosen == gold
    best_two = np.argsort(-predictions.scores, axis=1, kind="stable")[:, :2]
    low, high = bootstrap_interval(right)
    ece = expected_calibration_error(predictions.scores, gold) if predictions.are_probabilities else None
    return RoutingMetrics(
        rows=len(gold),
        accuracy=float(right.mean()),
        low=low,
        high=high,
        macro=float(np.mean([right[gold == node].mean() for node in np.unique(gold)])),
        top2=float((best_two == gold[:, None]).any(axis=1).mean()),
        ece=ece,
        abstained=float((predictions.chosen == NONE).mean()),
    )


def bootstrap_interval(right: NDArray[np.bool_], *, draws: int = 2000, seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of the mean of `right` over resampled rows (Efron 1979).

    The number of right rows in a resample of n rows is binomial, so it is drawn as such.
    """
    shares = np.random.default_rng(seed).binomial(len(right), right.mean(), draws) / len(right)
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)


def confusion(chosen: NDArray[np.int64], gold: NDArray[np.int64], nodes: int) -> NDArray[np.int64]:
    """Counts [nodes, nodes + 1]: rows are right nodes, columns chosen ones, the last for none."""
    table = np.zeros((nodes, nodes + 1), dtype=np.int64)
    np.add.at(table, (gold, np.where(chosen == NONE, nodes, chosen)), 1)
    return table


def places(nodes: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    """The place of each of `names` among `nodes`."""
    place = {node: k for k, node in enumerate(nodes)}
    return np.array([place[name] for name in names], dtype=np.int64)
