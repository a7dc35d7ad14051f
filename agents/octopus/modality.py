"""Route around another Octopus: by what is attached, or to a worker that was asked for by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from langchain_core.messages import BaseMessage

from agents.modalities import attachments_of, listed, modalities_of
from agents.types import Choice, Decision, Edge, NodeName, Octopus, Step


@dataclass
class ModalityOctopus:
    """Route among the neighbours that can read what is attached.

    Attributes:
        octopus: decides by the text.
        edges: of the node, by neighbour.
    """

    octopus: Octopus
    edges: Mapping[NodeName, Edge]

    async def route(self, conversation: Sequence[BaseMessage], path: Sequence[Step] = ()) -> Decision:
        """Decide by the text; with attachments, for the most probable neighbour that can read them.

        After a first step the path has an answer in words, and words decide.
        """
        route = await self.octopus.route(conversation, path)
        wanted = modalities_of(attachments_of(conversation[-1]))
        if path or not wanted:
            return route
        fitting = {node: edge for node, edge in self.edges.items() if wanted <= edge.modalities}
        return self._among(route, fitting, wanted) if fitting else _nobody(route, wanted)

    def _among(self, route: Decision, fitting: Mapping[NodeName, Edge], wanted: frozenset[str]) -> Decision:
        listed_ones = [choice for choice in route.choices if choice.node in fitting]
        unlisted = [node for node in fitting if node not in {choice.node for choice in listed_ones}]
        total = sum(choice.probability for choice in listed_ones)
        choices = [replace(c, probability=c.probability / total if total else 0.0) for c in listed_ones]
        choices += [Choice(fitting[node].token, node, 0.0) for node in unlisted]
        if not total:  # the text says nothing of them: all alike
            choices = [replace(choice, probability=1 / len(choices)) for choice in choices]
        best = max(choices, key=lambda choice: choice.probability)
        if best.node == route.node:
            return replace(route, probability=best.probability, choices=tuple(choices))
        question = route.question or route.rewritten
        return replace(
            route,
            node=best.node,
            token=best.token,
            probability=best.probability,
            rewritten=fitting[best.node].query(question),
            reason=f"Of the neighbours that read {listed(wanted)}, {best.node} has the highest probability, "
            f"{best.probability:.2f}.",
            decided_by="token",
            calibrated=False,
            choices=tuple(choices),
        )


def _nobody(route: Decision, wanted: frozenset[str]) -> Decision:
    reason = f"No neighbour reads {listed(wanted)}. Describe it in words, or connect a model that does."
    return replace(
        route, node=None, token=None, rewritten="", reason=reason, decided_by="ask", calibrated=False
    )


@dataclass(frozen=True)
class NamedOctopus:
    """Route to `neighbour`, and keep the choices of `octopus`, so that one sees what it would have done."""

    octopus: Octopus
    neighbour: Edge

    async def route(self, conversation: Sequence[BaseMessage], path: Sequence[Step] = ()) -> Decision:
        """Decide for the neighbour, with the probability that the Octopus gives it."""
        preferred = await self.octopus.route(conversation, path)
        node = self.neighbour.node
        known = [choice.probability for choice in preferred.choices if choice.node == node]
        return replace(
            preferred,
            node=node,
            token=self.neighbour.token,
            probability=known[0] if known else 0.0,
            rewritten=self.neighbour.query(preferred.question),
            reason=f"{node} was asked for by name. On its own: {preferred.reason}",
        )
