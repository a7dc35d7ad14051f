"""Decide after a step of a walk that is being executed: where next, or `<nexa_end>`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.octopus.cascade import END, decision_of, next_step
from agents.octopus.conversation.human_turns import carry_answers
from agents.octopus.planning.planner import Planner
from agents.types import Decision, Edge, NodeName, Step


@dataclass(frozen=True)
class Onward:
    """Decide at one node after the steps walked.

    Attributes:
        planner: of the graph.
        at: the node.
        edges: of the node, by neighbour.
    """

    planner: Planner
    at: NodeName
    edges: Mapping[NodeName, Edge]

    def decide(self, question: str, path: Sequence[Step]) -> Decision:
        """Decide for `question` after `path`; blocking.

        The rewrite is the next worker's template around the question, with the answers so far, flagged.
        """
        request = self.planner.read([question])[0]
        walked = [step.node for step in path]
        found = self.planner.following(request, walked, self.at)
        edges = [self.edges[node] if node else END for node in found]
        probabilities = list(found.values())
        return decision_of(
            edges,
            probabilities,
            next_step(edges, probabilities, walked),
            query=carry_answers(question, path),
            question=question,
            calibrated=self.planner.model.calibrated,
        )
