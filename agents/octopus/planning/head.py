"""The first step of a path as a head, so that a path-trained node also routes single questions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.octopus.planning.phrases import phrases
from agents.octopus.planning.planner import Planner, Request
from agents.types import NodeName


@dataclass(frozen=True)
class FirstStep:
    """P(first node | request) at node `at`; it never says that no neighbour fits."""

    planner: Planner
    at: NodeName
    threshold: float = 0.0
    abstain: float = 1.0

    @property
    def calibrated(self) -> bool:
        """Whether the planner's model is."""
        return self.planner.model.calibrated

    def probabilities(self, text: str, vector: NDArray[np.float32]) -> NDArray[np.float64]:
        """[n + 1], the last 0."""
        own = tuple(phrases(text))
        request = Request(text, vector, own, self.planner.embed(own))
        return np.array([*self.planner.following(request, (), self.at).values(), 0.0])
