"""Estimate how far a mean may be off: the one bootstrap of the project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = Sequence[float] | NDArray[Any]


@dataclass(frozen=True, slots=True)
class Interval:
    """Hold a mean and its 95 % interval."""

    mean: float
    low: float
    high: float


def interval(values: Values, *, draws: int = 10_000, seed: int = 0) -> Interval:
    """Return the mean of `values` with its percentile interval over resampled rows (Efron 1979).

    How often a resample holds each distinct value is drawn from the multinomial distribution that it follows
    (Efron and Tibshirani 1993, chapter 13). `scipy.stats.bootstrap` draws row by row: the same interval, in
    a thousand times the time for the 14,000 questions of an exam.
    """
    rows = np.asarray(values, dtype=np.float64)
    distinct, counts = np.unique(rows, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(rows), counts / len(rows), draws)
    low, high = np.percentile(drawn @ distinct / len(rows), [2.5, 97.5])
    return Interval(float(rows.mean()), float(low), float(high))


def paired_gain(ours: Values, theirs: Values, *, seed: int = 0) -> Interval:
    """Return how much more often `ours` is right than `theirs`, in [-1, 1], resampling questions in pairs."""
    return interval(np.subtract(ours, theirs, dtype=np.float64), seed=seed)
