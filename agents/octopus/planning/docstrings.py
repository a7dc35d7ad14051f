"""How well phrases fit nodes by what the nodes say of themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.octopus.encoder.zero_shot import ZeroShotHead
from agents.octopus.planning.path_graph import Places
from agents.octopus.planning.planner import Request


@dataclass(frozen=True)
class Docstrings:
    """A zero-shot head over all nodes of the graph, read one phrase at a time."""

    head: ZeroShotHead

    def reader(self, request: Request) -> Callable[[Places], NDArray[np.float32]]:
        """Nodes [m] → [phrases, m] cosines with BM25, about 0 where nothing fits."""
        return self.head.reader(request.phrases, request.phrase_vectors)
