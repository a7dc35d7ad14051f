"""The ranker: features of each candidate → P(next), a softmax over the candidates that are there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ranker:
    """Networks with one hidden layer, scoring one candidate at a time; their logits are averaged.

    Attributes:
        mean, scale: [features] for standardising.
        hidden: [networks, features, units], with
        hidden_bias: [networks, units].
        output: [networks, units].
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    hidden: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    output: NDArray[np.float32]

    def log_probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """[m] for m candidates with features [m, features]."""
        inputs = (features - self.mean) / self.scale
        units = np.maximum(inputs @ self.hidden + self.hidden_bias[:, None], 0)  # [networks, m, units]
        return log_softmax((units @ self.output[..., None])[..., 0].mean(axis=0))


def log_softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """ln softmax of `logits` [m]."""
    shifted = np.asarray(logits, dtype=np.float64) - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), dtype=np.float64)
