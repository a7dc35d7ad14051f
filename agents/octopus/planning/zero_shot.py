"""Model what comes next without training: phrases of the query against docstrings, among neighbours.

Each phrase is shared out, by softmax, among the neighbours and the nodes visited; what goes to the latter is
covered. The phrases are read in order, and the first one that is open decides; if none is, the path ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.octopus.encoder.zero_shot import ZeroShotHead
from agents.octopus.planning.path_graph import Path, PathGraph, Places
from agents.octopus.planning.planner import PhrasedQuery
from agents.octopus.planning.trained import ByNode, described

# Chosen on UltraTool's training rows.
_TEMPERATURE = 0.03
_HEED = 0.9  # the probability that an open phrase asks for a step at all
_LEAST = 1e-3  # of every neighbour, one visited before among them


@dataclass(frozen=True)
class ZeroShotNext:
    """Plan on any graph at once."""

    graph: PathGraph
    docstrings: ZeroShotHead
    calibrated: bool = False

    def evidence(self, query: PhrasedQuery) -> ByNode:
        """Return how well each phrase fits each node, computed when a decision asks for it."""
        return described(self.docstrings, query)

    def log_probabilities(
        self, evidence: ByNode, visited: Path, at: int, candidates: Places
    ) -> NDArray[np.float64]:
        """Return ln P of each candidate."""
        ahead = candidates[candidates != self.graph.end]
        nodes = np.union1d(ahead, np.array(visited, dtype=np.int64))
        fits = evidence(nodes).astype(np.float64) / _TEMPERATURE
        powers = np.exp(fits - fits.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        opened = _HEED * np.where(np.isin(nodes, visited), 0.0, shares)
        closed_before = np.cumprod(np.append(1.0, 1 - opened.sum(axis=1)))
        asked = closed_before[:-1] @ opened
        weights = asked[np.searchsorted(nodes, ahead)] + _LEAST
        if len(ahead) < len(candidates):
            weights = np.append(weights, closed_before[-1])
        return np.asarray(np.log(weights / weights.sum()), dtype=np.float64)
