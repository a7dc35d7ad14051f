"""Fit linear models on embeddings: multinomial logistic regression and ridge regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array, issparse

from agents.octopus.calibration import softmax

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinearHead:
    """Hold token vectors [facets, d] and a bias [facets]."""

    vectors: Floats
    bias: Floats

    def logits(self, inputs: NDArray[np.floating]) -> Floats:
        """Return logits [n, facets] of inputs [n, d]."""
        return np.asarray(inputs @ self.vectors.T + self.bias, dtype=np.float64)


def train_head(
    inputs: NDArray[np.floating] | csr_array,
    labels: NDArray[np.int64],
    weights: NDArray[np.floating],
    classes: int,
    *,
    penalty: float,
    start: LinearHead | None = None,
    iterations: int = 300,
) -> LinearHead:
    """Minimise the weighted cross-entropy plus `penalty` times the squared distance to `start`.

    Args:
        inputs: unit vectors [n, d], which may be sparse.
        labels: facets [n] in 0..classes-1.
        weights: importance [n] of each row.
        classes: number of facets.
        penalty: factor of the squared token vectors, against the summed loss of the rows.
        start: a head to stay near; None means zero, which is ordinary L2.
        iterations: upper limit for L-BFGS.

    This is the convex problem of scikit-learn's LogisticRegression (penalty = 1 / 2C), solved with the same
    method (L-BFGS, Liu and Nocedal 1989), but with a start to stay near, which scikit-learn does not offer.
    """
    dimension = inputs.shape[1]
    data = inputs if issparse(inputs) else np.asarray(inputs, dtype=np.float64)
    centre = start.vectors if start else np.zeros((classes, dimension))
    first = np.concatenate([centre, (start.bias if start else np.zeros(classes))[:, None]], axis=1)
    rows = np.arange(len(labels))
    scale = float(weights.sum())

    def loss(flat: Floats) -> tuple[float, Floats]:
        both = flat.reshape(classes, dimension + 1)
        vectors, bias = both[:, :-1], both[:, -1]
        probabilities = softmax(data @ vectors.T + bias)
        away = vectors - centre
        value = -(weights * np.log(np.maximum(probabilities[rows, labels], 1e-300))).sum()
        probabilities[rows, labels] -= 1
        probabilities *= weights[:, None]
        gradient = np.concatenate(
            [probabilities.T @ data + 2 * penalty * away, probabilities.sum(axis=0)[:, None]], axis=1
        )
        return float(value + penalty * (away**2).sum()) / scale, gradient.ravel() / scale

    found = minimize(loss, first.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    both = found.x.reshape(classes, dimension + 1)
    return LinearHead(both[:, :-1].copy(), both[:, -1].copy())


def ridge(inputs: Floats, targets: Floats, penalty: float) -> Floats:
    """Return the slopes [d, targets] of a ridge regression (Hoerl and Kennard 1970)."""
    gram = inputs.T @ inputs + penalty * np.eye(inputs.shape[1])
    return np.asarray(np.linalg.solve(gram, inputs.T @ targets), dtype=np.float64)
