"""Bootstrap intervals: of means, and of differences between systems that answered the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Gain(Interval):
    """The difference of two accuracies, in [-1, 1], with its 95 % interval."""

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval does."""
        return self.low > 0 or self.high < 0


def interval(values: Sequence[float], *, draws: int = 2000, seed: int = 0) -> Interval:
    """The mean of `values` with the percentile interval over resampled rows (Efron 1979).

    Of differences on the same problems it is the paired interval.
    """
    own = np.asarray(values, dtype=np.float64)
    chosen = np.random.default_rng(seed).integers(0, len(own), (draws, len(own)))
    low, high = np.percentile(own[chosen].mean(axis=1), [2.5, 97.5])
    return Interval(float(own.mean()), float(low), float(high))


def paired_gain(
    ours: NDArray[np.bool_], theirs: NDArray[np.bool_], *, draws: int = 10_000, seed: int = 0
) -> Gain:
    """How much oftener `ours` [n] is right than `theirs` [n]: a paired percentile bootstrap over questions.

    A question counts +1, 0 or -1, so that the sum over a resample follows a multinomial distribution
    (Efron and Tibshirani 1993, chapter 13), from which it is drawn.
    """
    total = len(ours)
    wins, losses = int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    shares = [wins / total, losses / total, max(0.0, 1 - (wins + losses) / total)]
    counts = np.random.default_rng(seed).multinomial(total, shares, draws)
    low, high = np.percentile((counts[:, 0] - counts[:, 1]) / total, [2.5, 97.5])
    return Gain((wins - losses) / total, float(low), float(high))
