"""An Octopus that is told where to go: the worker was asked for by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from langchain_core.messages import BaseMessage

from agents.types import Decision, Edge, Octopus, Step


@dataclass(frozen=True)
class NamedOctopus:
    """Goes to `neighbour`, and keeps the choices of `octopus`, so that one sees what it would have done."""

    octopus: Octopus
    neighbour: Edge

    async def route(self, conversation: Sequence[BaseMessage], path: Sequence[Step] = ()) -> Decision:
        """The route to the neighbour, with the probability that the Octopus gives it."""
        preferred = await self.octopus.route(conversation, path)
        node = self.neighbour.node
        known = [choice.probability for choice in preferred.choices if choice.node == node]
        return replace(
            preferred,
            node=node,
            token=self.neighbour.token,
            probability=known[0] if known else 0.0,
            rewritten=self.neighbour.template.replace("{query}", preferred.question),
            reason=f"{node} was asked for by name. On its own: {preferred.reason}",
        )
