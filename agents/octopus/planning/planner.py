"""Plan and route step by step: P(next | query, path walked, node that decides), over neighbours and the end.

A factor P(N_i | q; N_master_i) of *Octopus v4* (arXiv 2404.19296) at each step; a plan is the path with the
greatest product. With an artifact the ranker weighs what was learnt from gold paths; without one, phrases of
the query are compared with docstrings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.errors import RoutingError
from agents.octopus.cascade import END, decision_of, next_step
from agents.octopus.conversation.human_turns import carry_answers, carry_over
from agents.octopus.encoder.zero_shot import Embed
from agents.octopus.planning.path_graph import Path, PathGraph, Places
from agents.types import Decision, Edge, NodeName, Step

MOST_STEPS = 8  # of a plan
_WIDTH = 8  # of the beam
_CUT = re.compile(
    r"(?<=[.!?;])\s+|[,;]\s+|\n+|\b(?:and|then|also|finally|afterwards|after that)\b", re.IGNORECASE
)
_LEAST_WORDS = 2  # of a phrase; shorter pieces say nothing by themselves
_MOST_PHRASES = 24

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class PhrasedQuery:
    """Hold a query as planning reads it.

    Attributes:
        text: the query.
        vector: [d] its embedding.
        phrases: its phrases in order.
        phrase_vectors: [phrases, d].
    """

    text: str
    vector: Vectors
    phrases: tuple[str, ...]
    phrase_vectors: Vectors


def read_queries(texts: Sequence[str], embed: Embed) -> list[PhrasedQuery]:
    """Embed queries and their phrases."""
    found, parts = [], [tuple(phrases(text)) for text in texts]
    vectors = embed([*texts, *(phrase for own in parts for phrase in own)])
    start = len(texts)
    for k, (text, own) in enumerate(zip(texts, parts, strict=True)):
        found.append(PhrasedQuery(text, vectors[k], own, vectors[start : start + len(own)]))
        start += len(own)
    return found


def phrases(query: str) -> list[str]:
    """Return the phrases of `query` in order, at most 24 and at least one.

    Cutting too often does little harm: a phrase is only compared with nodes, nothing is executed for it.
    """
    pieces = [piece.strip(" \t,.;!?") for piece in _CUT.split(query)]
    telling = [piece for piece in pieces if len(piece.split()) >= _LEAST_WORDS or len(piece) > 8]
    return telling[:_MOST_PHRASES] or [query]


class NextNode(Protocol):
    """Model what comes next, zero-shot or trained.

    Attributes:
        calibrated: whether its probabilities were fitted on held-out rows.
    """

    @property
    def calibrated(self) -> bool: ...  # noqa: D102 - above

    def evidence(self, query: PhrasedQuery) -> Any:
        """Compute what depends on the query alone, whatever the path."""
        ...

    def log_probabilities(
        self, evidence: Any, visited: Path, at: int, candidates: Places
    ) -> NDArray[np.float64]:
        """Return ln P of each of `candidates` after the steps `visited`, decided at node `at`."""
        ...


@dataclass(frozen=True)
class Plan:
    """Hold a path and the product of its decisions' probabilities; empty where no path fits."""

    path: tuple[NodeName, ...]
    probability: float


@dataclass(frozen=True)
class Planner:
    """Decide and plan on one graph; its nodes share it."""

    graph: PathGraph
    model: NextNode
    embed: Embed

    def read(self, texts: Sequence[str]) -> list[PhrasedQuery]:
        """Embed queries and their phrases."""
        return read_queries(texts, self.embed)

    def following(
        self, query: PhrasedQuery, visited: Sequence[NodeName], at: NodeName
    ) -> dict[NodeName | None, float]:
        """Return P(next) of the neighbours of `at` after the steps `visited`; None is the end.

        Raises:
            RoutingError: a step is not a node of the graph.
        """
        place = self.graph.place
        unknown = next((name for name in (*visited, at) if name not in place), None)
        if unknown is not None:
            raise RoutingError(f"{unknown!r} is not a node of the graph.")
        path = tuple(place[name] for name in visited)
        candidates = self.graph.candidates(place[at], path)
        evidence = self.model.evidence(query)
        values = np.exp(self.model.log_probabilities(evidence, path, place[at], candidates))
        names = [None if k == self.graph.end else self.graph.nodes[k] for k in candidates]
        return dict(zip(names, values.tolist(), strict=True))

    def decide_next(
        self,
        at: NodeName,
        edges: Mapping[NodeName, Edge],
        question: str,
        path: Sequence[Step],
        refers_to: str = "",
    ) -> Decision:
        """Decide at node `at` where a walk goes after the steps of `path`, or that it ends; blocking.

        The rewrite is the next worker's template around the question, with the answers so far, flagged.
        """
        walked = [step.node for step in path]
        found = self.following(self.read([carry_over(question, refers_to)])[0], walked, at)
        ahead, probabilities = [edges[node] if node else END for node in found], list(found.values())
        return decision_of(
            ahead,
            probabilities,
            next_step(ahead, probabilities, walked),
            question=question,
            calibrated=self.model.calibrated,
            refers_to=refers_to,
            query=carry_answers(question, path),
        )

    def plan(self, query: PhrasedQuery) -> Plan:
        """Return the most probable path from the graph's entry."""
        evidence = self.model.evidence(query)

        def following(visited: Path) -> tuple[Places, NDArray[np.float64]]:
            at = visited[-1] if visited else self.graph.entry
            candidates = self.graph.candidates(at, visited)
            if not len(candidates):  # a master without neighbours left: the path cannot go on
                return candidates, np.zeros(0)
            return candidates, self.model.log_probabilities(evidence, visited, at, candidates)

        path, value = beam_search(following, self.graph.end)
        return Plan(tuple(self.graph.nodes[k] for k in path), float(np.exp(value)))


@dataclass(frozen=True)
class FirstStep:
    """Read the first step of a path as a head: P(first node | query) at node `at`.

    So a path-trained node also routes single questions; it never says that no neighbour fits.
    """

    planner: Planner
    at: NodeName
    threshold: float = 0.0
    abstain: float = 1.0

    @property
    def calibrated(self) -> bool:
        """Return whether the planner's model is."""
        return self.planner.model.calibrated

    def probabilities(self, text: str, vector: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return [n + 1] probabilities, the last 0."""
        own = tuple(phrases(text))
        query = PhrasedQuery(text, vector, own, self.planner.embed(own))
        return np.array([*self.planner.following(query, (), self.at).values(), 0.0])


def beam_search(
    following: Callable[[Path], tuple[Places, NDArray[np.float64]]],
    end: int,
    *,
    width: int = _WIDTH,
    most_steps: int = MOST_STEPS,
) -> tuple[Path, float]:
    """Return the most probable complete path that the beam meets, with ln P = Σ ln P(next | …).

    Paths that cannot become better than the best complete one are dropped: each step only costs probability.
    Where no path is complete within `most_steps`, the best one of that length is returned.

    Args:
        following: a path → what may come after it, and ln P of each.
        end: the place that completes a path.
        width: how many paths are kept.
        most_steps: of a path.
    """
    going: list[tuple[Path, float]] = [((), 0.0)]
    best: tuple[Path, float] | None = None
    for length in range(most_steps + 1):
        longer: list[tuple[Path, float]] = []
        for path, total in going:
            candidates, values = following(path)
            for k in np.argsort(-values, kind="stable")[:width]:
                value = total + float(values[k])
                if best is not None and value <= best[1]:
                    break
                if candidates[k] == end:
                    best = (path, value)
                elif length < most_steps:
                    longer.append(((*path, int(candidates[k])), value))
        longer = [(path, value) for path, value in longer if best is None or value > best[1]]
        if not longer:
            break
        going = sorted(longer, key=lambda found: -found[1])[:width]
    return best or going[0]
