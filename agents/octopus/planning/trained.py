"""The trained model of what comes next: exemplars, phrases and docstrings, weighed by the ranker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.octopus.planning.docstrings import Docstrings
from agents.octopus.planning.evidence import Evidence, Values, features
from agents.octopus.planning.exemplars import Exemplars, nearest
from agents.octopus.planning.path_graph import Path, PathGraph, Places
from agents.octopus.planning.planner import Request
from agents.octopus.planning.ranker import Ranker


@dataclass(frozen=True)
class TrainedNext:
    """Everything that was learnt from gold paths, for the nodes of `graph`.

    Attributes:
        exemplars: targets are the graph's nodes, then its edges.
        phrase_weights: [nodes, d + 1] linear scores of a phrase's embedding, the constant last.
        priors: [edges] ln of how often an edge follows.
        docstrings: scores of phrases by what nodes say of themselves.
    """

    graph: PathGraph
    exemplars: Exemplars
    phrase_weights: NDArray[np.float32]
    priors: Values
    docstrings: Docstrings
    ranker: Ranker
    calibrated: bool = True

    def evidence(self, request: Request) -> Evidence:
        """What speaks for each node, computed when a decision asks for it."""
        similarity = self.exemplars.kernel(request.text, request.vector)
        return Evidence(
            phrases=phrase_fits(self.phrase_weights, request),
            described=described(self.docstrings, request),
            targets=lambda rows: self.exemplars.targets(similarity, rows),
            nearest=nearest(similarity, self.exemplars.paths),
            priors=self.priors,
        )

    def log_probabilities(
        self, evidence: Evidence, visited: Path, at: int, candidates: Places
    ) -> NDArray[np.float64]:
        """ln P of each candidate."""
        return self.ranker.log_probabilities(features(evidence, self.graph, visited, at, candidates))


class ByNode:
    """`fit` [rows, m] for nodes [m] of n, computed once for each node that is asked about."""

    def __init__(self, fit: Callable[[Places], Values], rows: int, nodes: int) -> None:
        self._fit = fit
        self._values = np.empty((rows, nodes), dtype=np.float32)
        self._known = np.zeros(nodes, dtype=np.bool_)

    def __call__(self, nodes: Places) -> Values:
        """[rows, m]."""
        missing = nodes[~self._known[nodes]]
        if len(missing):
            self._values[:, missing] = self._fit(missing)
            self._known[missing] = True
        return self._values[:, nodes]


def phrase_fits(weights: NDArray[np.float32], request: Request) -> ByNode:
    """[phrases, m] how well each phrase fits each node, at least 0, by `weights` [nodes, d + 1]."""

    def fit(nodes: Places) -> Values:
        own = weights[nodes]
        return np.maximum(request.phrase_vectors @ own[:, :-1].T + own[:, -1], 0).astype(np.float32)

    return ByNode(fit, len(request.phrases), len(weights))


def described(docstrings: Docstrings, request: Request) -> ByNode:
    """[phrases, m] how well each phrase fits what each node says of itself."""
    return ByNode(docstrings.reader(request), len(request.phrases), len(docstrings.head.vectors))
