"""Learn which node a phrase of a request asks for, by ridge regression on embeddings.

Where rows bring texts of single steps, each with its node, these are learnt from. Elsewhere it is only known
which nodes the whole request needs; then each phrase starts as belonging to all of them alike, and is given
to those that fit it best, in turns (learning from bags: T. Dietterich, R. Lathrop and T. Lozano-Pérez, 1997).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEP_PENALTY, _BAG_PENALTY = 0.5, 1.0
_TURNS = 3


@dataclass(frozen=True)
class Texts:
    """Embedded texts of many rows.

    Attributes:
        vectors: [texts, d].
        rows: [texts] the row of each.
        nodes: [texts] the node of each, or -1 where only the row's nodes are known.
    """

    vectors: NDArray[np.float32]
    rows: NDArray[np.int64]
    nodes: NDArray[np.int64]


def phrase_weights(texts: Texts, on_path: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weights [nodes, d + 1], the constant last.

    Args:
        texts: of steps, and phrases of rows that have none.
        on_path: [rows, nodes] which nodes each row's path has.
    """
    inputs = _with_constant(texts.vectors)
    bags = on_path[texts.rows].astype(np.float64)
    known = np.flatnonzero(texts.nodes >= 0)
    bags[known] = 0
    bags[known, texts.nodes[known]] = 1
    shares = bags / np.maximum(bags.sum(axis=1, keepdims=True), 1)
    if len(known) == len(inputs):
        return ridge(inputs, shares, _STEP_PENALTY).T.astype(np.float32)
    for _ in range(_TURNS):
        scores = np.maximum(inputs @ ridge(inputs, shares, _BAG_PENALTY), 1e-3) ** 2 * bags
        shares = scores / np.maximum(scores.sum(axis=1, keepdims=True), 1e-12)
    return ridge(inputs, shares, _BAG_PENALTY).T.astype(np.float32)


def ridge(inputs: Floats, targets: Floats, penalty: float) -> Floats:
    """[d, targets] of ridge regression."""
    gram = inputs.T @ inputs + penalty * np.eye(inputs.shape[1])
    return np.asarray(np.linalg.solve(gram, inputs.T @ targets), dtype=np.float64)


def _with_constant(vectors: NDArray[np.float32]) -> Floats:
    return np.concatenate([vectors.astype(np.float64), np.ones((len(vectors), 1))], axis=1)
