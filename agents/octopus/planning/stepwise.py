"""The decision after a step of a walk that is being executed: where next, or `<nexa_end>`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.octopus.carried import carried_answers
from agents.octopus.planning.planner import Planner
from agents.octopus.tokens import END_TOKEN
from agents.types import Choice, Decision, FunctionalToken, NodeName, Step

ANSWER = NodeName("answer")
_MOST_CHOICES = 32


@dataclass(frozen=True)
class Onward:
    """Decides at one node after the steps walked.

    Attributes:
        planner: of the graph.
        at: the node.
        tokens: the functional token of each neighbour.
        templates: what the query for each neighbour looks like.
    """

    planner: Planner
    at: NodeName
    tokens: dict[NodeName, FunctionalToken]
    templates: dict[NodeName, str]

    def route(self, question: str, path: Sequence[Step]) -> Decision:
        """The route for `question` after `path`; blocking.

        The rewrite is the next worker's template around the question, with the answers so far, flagged.
        """
        request = self.planner.read([question])[0]
        found = self.planner.following(request, [step.node for step in path], self.at)
        ranked = sorted(found.items(), key=lambda pair: -pair[1])
        node, probability = ranked[0]
        after = " → ".join(step.node for step in path)
        what = f"{node} comes next" if node else "the question is served"
        asked = carry_answers(question, path)
        return Decision(
            node=node,
            token=self.tokens[node] if node else END_TOKEN,
            probability=probability,
            rewritten=self.templates[node].replace("{query}", asked) if node else "",
            reason=f"After {after}, {what}, with probability {probability:.2f}.",
            decided_by="token",
            calibrated=self.planner.model.calibrated,
            choices=tuple(
                Choice(self.tokens[name] if name else END_TOKEN, name or ANSWER, value)
                for name, value in ranked[:_MOST_CHOICES]
            ),
            question=question,
        )


def carry_answers(question: str, path: Sequence[Step]) -> str:
    """The verbatim question, with the answers of this turn's steps."""
    answers = carried_answers(path)
    return "\n\n".join([question, "\n".join(answers)]) if answers else question
