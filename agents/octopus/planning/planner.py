"""The next-node Octopus: P(next | request, path walked, node that decides), over neighbours and `<nexa_end>`.

A factor P(N_i | q; N_master_i) of *Octopus v4* (arXiv 2404.19296) at each step; a plan is the path with the
greatest product. With an artifact the ranker weighs what was learnt from gold paths; without one, phrases of
the request are compared with docstrings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.errors import RoutingError
from agents.octopus.encoder.zero_shot import Embed
from agents.octopus.planning.path_graph import Path, PathGraph, Places
from agents.octopus.planning.phrases import phrases
from agents.octopus.planning.search import beam_search
from agents.types import NodeName

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Request:
    """A request as planning reads it.

    Attributes:
        text: the request.
        vector: [d] its embedding.
        phrases: its phrases in order.
        phrase_vectors: [phrases, d].
    """

    text: str
    vector: Vectors
    phrases: tuple[str, ...]
    phrase_vectors: Vectors


def read_requests(texts: Sequence[str], embed: Embed) -> list[Request]:
    """Embed requests and their phrases."""
    found, parts = [], [tuple(phrases(text)) for text in texts]
    vectors = embed([*texts, *(phrase for own in parts for phrase in own)])
    start = len(texts)
    for k, (text, own) in enumerate(zip(texts, parts, strict=True)):
        found.append(Request(text, vectors[k], own, vectors[start : start + len(own)]))
        start += len(own)
    return found


class NextNode(Protocol):
    """A model of what comes next, zero-shot or trained.

    Attributes:
        calibrated: whether its probabilities were fitted on held-out rows.
    """

    @property
    def calibrated(self) -> bool: ...  # noqa: D102 - above

    def evidence(self, request: Request) -> Any:
        """What is computed once for a request, whatever the path."""
        ...

    def log_probabilities(
        self, evidence: Any, visited: Path, at: int, candidates: Places
    ) -> NDArray[np.float64]:
        """ln P of each of `candidates` after the steps `visited`, decided at node `at`."""
        ...


@dataclass(frozen=True)
class Plan:
    """A path with the product of its decisions' probabilities; empty where no path fits."""

    path: tuple[NodeName, ...]
    probability: float


@dataclass(frozen=True)
class Planner:
    """Decides and plans on one graph; shared by its nodes."""

    graph: PathGraph
    model: NextNode
    embed: Embed

    def read(self, texts: Sequence[str]) -> list[Request]:
        """Embed requests and their phrases."""
        return read_requests(texts, self.embed)

    def following(
        self, request: Request, visited: Sequence[NodeName], at: NodeName
    ) -> dict[NodeName | None, float]:
        """P(next) of the neighbours of `at` after the steps `visited`; None is the end.

        Raises:
            RoutingError: a step is not a node of the graph.
        """
        place = self.graph.place
        unknown = next((name for name in (*visited, at) if name not in place), None)
        if unknown is not None:
            raise RoutingError(f"{unknown!r} is not a node of the graph.")
        path = tuple(place[name] for name in visited)
        candidates = self.graph.candidates(place[at], path)
        evidence = self.model.evidence(request)
        values = np.exp(self.model.log_probabilities(evidence, path, place[at], candidates))
        names = [None if k == self.graph.end else self.graph.nodes[k] for k in candidates]
        return dict(zip(names, values.tolist(), strict=True))

    def plan(self, request: Request) -> Plan:
        """The most probable path from the graph's entry."""
        evidence = self.model.evidence(request)

        def step(visited: Path) -> tuple[Places, NDArray[np.float64]]:
            at = visited[-1] if visited else self.graph.entry
            candidates = self.graph.candidates(at, visited)
            if not len(candidates):  # a master without neighbours left: the path cannot go on
                return candidates, np.zeros(0)
            return candidates, self.model.log_probabilities(evidence, visited, at, candidates)

        path, value = beam_search(step, self.graph.end)
        return Plan(tuple(self.graph.nodes[k] for k in path), float(np.exp(value)))
