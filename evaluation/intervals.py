"""Bootstrap intervals of differences between systems that answered the same questions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Gain:
    """The difference of two accuracies, in [-1, 1], with its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval does."""
        return self.low > 0 or self.high < 0


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
