"""Model what comes next from gold paths: exemplars, phrases and docstrings, weighed by the ranker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.octopus.encoder.zero_shot import ZeroShotHead
from agents.octopus.planning.evidence import Evidence, Values, features
from agents.octopus.planning.exemplars import Exemplars, nearest
from agents.octopus.planning.path_graph import Path, PathGraph, Places
from agents.octopus.planning.planner import PhrasedQuery


@dataclass(frozen=True)
class TrainedNext:
    """Hold what was learnt from gold paths, for the nodes of `graph`.

    Attributes:
        exemplars: targets are the graph's nodes, then its edges.
        phrase_weights: [nodes, d + 1] linear scores of a phrase's embedding, the constant last.
        priors: [edges] ln of how often an edge follows.
        docstrings: scores phrases by what the nodes say of themselves.
    """

    graph: PathGraph
    exemplars: Exemplars
    phrase_weights: NDArray[np.float32]
    priors: Values
    docstrings: ZeroShotHead
    ranker: Ranker
    calibrated: bool = True

    def evidence(self, query: PhrasedQuery) -> Evidence:
        """Collect what speaks for each node, computed when a decision asks for it."""
        similarity = self.exemplars.kernel(query.text, query.vector)
        return Evidence(
            phrases=phrase_fits(self.phrase_weights, query),
            described=described(self.docstrings, query),
            targets=lambda rows: self.exemplars.targets(similarity, rows),
            nearest=nearest(similarity, self.exemplars.paths),
            priors=self.priors,
        )

    def log_probabilities(
        self, evidence: Evidence, visited: Path, at: int, candidates: Places
    ) -> NDArray[np.float64]:
        """Return ln P of each candidate."""
        return self.ranker.log_probabilities(features(evidence, self.graph, visited, at, candidates))


class ByNode:
    """Compute `fit` [rows, m] for nodes [m] of n, once for each node that is asked about."""

    def __init__(self, fit: Callable[[Places], Values], rows: int, nodes: int) -> None:
        self._fit = fit
        self._values = np.empty((rows, nodes), dtype=np.float32)
        self._known = np.zeros(nodes, dtype=np.bool_)

    def __call__(self, nodes: Places) -> Values:
        """Return [rows, m]."""
        missing = nodes[~self._known[nodes]]
        if len(missing):
            self._values[:, missing] = self._fit(missing)
            self._known[missing] = True
        return np.asarray(self._values[:, nodes], dtype=np.float32)


def phrase_fits(weights: NDArray[np.float32], query: PhrasedQuery) -> ByNode:
    """Return [phrases, m] how well each phrase fits each node, at least 0, by `weights` [nodes, d + 1]."""

    def fit(nodes: Places) -> Values:
        own = weights[nodes]
        scores = query.phrase_vectors @ own[:, :-1].T + own[:, -1]
        return np.asarray(np.maximum(scores, 0), dtype=np.float32)

    return ByNode(fit, len(query.phrases), len(weights))


def described(docstrings: ZeroShotHead, query: PhrasedQuery) -> ByNode:
    """Return [phrases, m] how well each phrase fits what each node says of itself, about 0 for not at all."""
    fit = docstrings.reader(query.phrases, query.phrase_vectors)
    return ByNode(fit, len(query.phrases), len(docstrings.vectors))


@dataclass(frozen=True)
class Ranker:
    """Turn features of each candidate into P(next), a softmax over the candidates that are there.

    Networks with one hidden layer score one candidate at a time; their logits are averaged.

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
        """Return [m] for m candidates with features [m, features]."""
        inputs = (features - self.mean) / self.scale
        units = np.maximum(inputs @ self.hidden + self.hidden_bias[:, None], 0)  # [networks, m, units]
        return log_softmax((units @ self.output[..., None])[..., 0].mean(axis=0))


def log_softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return ln softmax of `logits` [m]."""
    shifted = np.asarray(logits, dtype=np.float64) - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), dtype=np.float64)
