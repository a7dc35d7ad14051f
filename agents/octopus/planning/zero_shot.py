"""What comes next, without training: phrases of the request against docstrings, among neighbours.

Each phrase is shared out, by softmax, among the neighbours and the nodes visited. The mean share of a
neighbour is its probability of being next; what goes to visited nodes is covered and speaks for the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.octopus.planning.docstrings import Docstrings
from agents.octopus.planning.path_graph import Path, PathGraph, Places
from agents.octopus.planning.planner import Request
from agents.octopus.planning.trained import ByNode, described

# Chosen on UltraTool's training rows.
_TEMPERATURE = 0.08
_END_WEIGHT = 1.0  # of what is covered, against what is not
_AGAIN = 0.02  # the share of a covered phrase for which a node is visited once more


@dataclass(frozen=True)
class ZeroShotNext:
    """Any graph is planned on at once."""

    graph: PathGraph
    docstrings: Docstrings
    calibrated: bool = False

    def evidence(self, request: Request) -> ByNode:
        """How well each phrase fits each node, computed when a decision asks for it."""
        return described(self.docstrings, request)

    def log_probabilities(
        self, evidence: ByNode, visited: Path, at: int, candidates: Places
    ) -> NDArray[np.float64]:
        """ln P of each candidate."""
        ahead = candidates[candidates != self.graph.end]
        nodes = np.union1d(ahead, np.array(visited, dtype=np.int64))
        fits = evidence(nodes).astype(np.float64) / _TEMPERATURE
        powers = np.exp(fits - fits.max(axis=1, keepdims=True))
        shares = (powers / powers.sum(axis=1, keepdims=True)).mean(axis=0)
        seen = np.isin(nodes, visited)
        weights = np.where(seen, _AGAIN * shares, shares)[np.searchsorted(nodes, ahead)]
        if len(ahead) < len(candidates):
            weights = np.append(weights, _END_WEIGHT * shares[seen].sum() + 1e-6)
        return np.asarray(np.log(weights / weights.sum()), dtype=np.float64)
