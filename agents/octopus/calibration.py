"""Calibrate probabilities: softmax with temperature, its fit, and the expected calibration error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> Array:
    """Return the softmax over the last axis of `logits` divided by `temperature`; any shape."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    scaled = scaled - scaled.max(axis=-1, keepdims=True)
    powers = np.exp(scaled)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float64)


def grouped_softmax(
    logits: NDArray[np.floating], owner: NDArray[np.int64], groups: int, temperature: float
) -> Array:
    """Return [n, groups]: the softmax over facets [n, facets], summed over each group's facets."""
    facets = softmax(np.atleast_2d(logits), temperature)
    summed = np.zeros((len(facets), groups))
    np.add.at(summed.T, owner, facets.T)
    return summed


def negative_log_likelihood(probabilities: NDArray[np.floating], gold: NDArray[np.int64]) -> float:
    """Return the mean of -ln p(gold) in nats."""
    chosen = np.take_along_axis(probabilities, gold[:, None], axis=1)
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def expected_calibration_error(
    probabilities: NDArray[np.floating], gold: NDArray[np.int64], *, bins: int = 15
) -> float:
    """Return the top choice's ECE in [0, 1] over equal-width bins (Guo et al. 2017, arXiv 1706.04599)."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == gold
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(correct[place == b].mean() - confidence[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))


def fit_temperature(
    logits: NDArray[np.floating], owner: NDArray[np.int64], groups: int, gold: NDArray[np.int64]
) -> float:
    """Return the temperature with the least negative log-likelihood on held-out rows (Guo et al. 2017).

    Args:
        logits: [n, facets] from models that did not see these rows.
        owner: [facets], the group of each facet.
        groups: how many groups there are.
        gold: [n], the right group.
    """
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        probabilities = grouped_softmax(logits, owner, groups, float(np.exp(log_temperature)))
        return negative_log_likelihood(probabilities, gold)

    found = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def fit_threshold(
    probabilities: NDArray[np.floating], gold: NDArray[np.int64], *, least: float = 0.2
) -> float:
    """Return the largest probability below which the best choice is right less often than `least`.

    Below it the cascade takes over. 0 when there are too few doubtful rows to tell.
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(confidence)
    correct = (probabilities.argmax(axis=1) == gold)[order]
    accuracy = np.cumsum(correct) / np.arange(1, len(correct) + 1)
    doubtful = np.flatnonzero((accuracy < least) & (np.arange(len(correct)) >= 19))
    return float(confidence[order][doubtful[-1]]) if len(doubtful) else 0.0
