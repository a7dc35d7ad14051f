"""Route around another Octopus by what the neighbours can do: their examples, tools, models and modalities.

The Octopus knows subjects. Here a question that a neighbour's tools read in full is evidence for that
neighbour, and an example belongs to its own. What has no subject, or went to a neighbour that can neither
compute it nor speak, goes to the generalist. What is attached goes to who can read it, and a worker that was
asked for by name gets the question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

from langchain_core.messages import BaseMessage, HumanMessage

from agents.modalities import attachments_of, listed, modalities_of
from agents.octopus.conversation.asked import Asked, asked
from agents.types import CascadeStep, Choice, Decision, Edge, NodeName, Octopus, Step
from tools.reading.normal import normalised

_FAINT = 0.1  # probability below which its words do not speak for a neighbour whose tools read a question
_OWNED = 0.99  # share of the questions that tools read in full which belong to one of those that read them


@runtime_checkable
class Able(Protocol):
    """Say what a worker can do."""

    @property
    def speaks(self) -> bool:
        """Return whether it can answer in words: a model, an agent or a function is behind it."""
        ...

    def reads(self, question: str) -> str:
        """Return the tool that reads the whole question; "" if none does. Blocking, cheap."""
        ...


@dataclass(frozen=True)
class Together:
    """Do what any of several can do: the neighbours of a node that routes. None is taken to speak."""

    each: Sequence[Able | None]

    @property
    def speaks(self) -> bool:
        """Return whether one of them can answer in words."""
        return any(able is None or able.speaks for able in self.each)

    def reads(self, question: str) -> str:
        """Return the first tool that reads the whole question; "" if none does."""
        return next((tool for able in self.each if able and (tool := able.reads(question))), "")


class _Read(NamedTuple):
    """Name what a neighbour's tools read, and the tool."""

    question: str
    tool: str


@dataclass
class AbilityOctopus:
    """Route by subject and ability.

    Attributes:
        octopus: decides by the text.
        edges: of the node, by neighbour.
        abilities: what the neighbours can do; called on first need. None is taken to speak.
        generalist: takes what has no subject, and what nobody else can answer.
    """

    octopus: Octopus
    edges: Mapping[NodeName, Edge]
    abilities: Callable[[], Mapping[NodeName, Able | None]]
    generalist: NodeName | None = None

    async def route(self, conversation: Sequence[BaseMessage], path: Sequence[Step] = ()) -> Decision:
        """Decide by the text and by what the neighbours can do; after a first step, by the text."""
        decision = await self.octopus.route(conversation, path)
        if path or attachments_of(conversation[-1]):
            return decision
        return await asyncio.to_thread(self.adjusted, decision, conversation)

    def adjusted(self, decision: Decision, conversation: Sequence[BaseMessage]) -> Decision:
        """Return the decision for the last turn after what the neighbours can do. Blocking."""
        said = asked(conversation)
        if owner := self._owner_of_example(str(conversation[-1].text)):
            return self._owned(decision, [owner], f"It is an example of {owner}.", "examples")
        if read := self._read(said):
            return self._by_reading(decision, read)
        if said.act == "conversational" and not _earlier(conversation) and self.generalist:
            reason = f"It asks no question, so {self.generalist} takes it as the generalist."
            return self._redirect(decision, self.generalist, reason, "generalist")
        return self._by_voice(decision)

    def _owner_of_example(self, text: str) -> NodeName | None:
        plain = _plain(text)
        owners = (edge.node for edge in self.edges.values() if plain in map(_plain, edge.examples))
        return next(owners, None)

    def _read(self, said: Asked) -> dict[NodeName, _Read]:
        """Return who reads the question: as it stands, or else completed by what it refers to."""
        for question in said.readings:
            read = {
                node: _Read(question, tool)
                for node, able in self.abilities().items()
                if able and (tool := able.reads(question))
            }
            if read:
                return read
        return {}

    def _by_reading(self, decision: Decision, read: Mapping[NodeName, _Read]) -> Decision:
        before = {choice.node: choice.probability for choice in decision.choices}
        best = max(read, key=lambda node: before.get(node, 0.0))
        owners = list(read)
        generalist = self.generalist
        if generalist in read and generalist is not None and before.get(best, 0.0) < _FAINT:
            best, owners = generalist, [generalist]
        question, tool = read[best]
        whole = _plain(question) == _plain(normalised(decision.question))
        what = "the whole question" if whole else repr(question)
        reason = f"{best}'s tool {tool} reads {what}."
        if decision.decided_by == "token":
            reason = f"{reason} By its words alone: {decision.reason}"
        return self._owned(decision, owners, reason, "tools")

    def _owned(
        self, decision: Decision, owners: Sequence[NodeName], reason: str, by: CascadeStep
    ) -> Decision:
        """Leave the neighbours that the question is not of what is left of the probability."""
        before = dict.fromkeys(owners, 0.0) | {one.node: one.probability for one in decision.choices}
        own = sum(before[node] for node in owners)
        other = sum(before.values()) - own
        share = _OWNED if other else 1.0

        def probability(node: NodeName) -> float:
            if node not in owners:
                return (1 - share) * before[node] / other
            return share * (before[node] / own if own else 1 / len(owners))

        choices = [Choice(self.edges[node].token, node, probability(node)) for node in before]
        choices.sort(key=lambda choice: -choice.probability)
        best = choices[0].node
        decided = replace(decision, choices=tuple(choices))
        return self._redirect(decided, best, reason, decision.decided_by if best == decision.node else by)

    def _by_voice(self, decision: Decision) -> Decision:
        """Hand what its neighbour cannot answer to the generalist, if that has a model."""
        node, generalist = decision.node, self.generalist
        if node is None or self._speaks(node) or generalist is None or not self._speaks(generalist):
            return decision
        reason = f"{decision.reason} It has no tool or model for this, so {generalist} takes it."
        return self._redirect(decision, generalist, reason, "generalist")

    def _speaks(self, node: NodeName) -> bool:
        able = self.abilities().get(node)
        return able is None or able.speaks

    def _redirect(self, decision: Decision, node: NodeName, reason: str, by: CascadeStep) -> Decision:
        edge = self.edges[node]
        probability = next((c.probability for c in decision.choices if c.node == node), 0.0)
        return replace(
            decision,
            node=node,
            token=edge.token,
            probability=probability,
            rewritten=edge.query(decision.question) if node != decision.node else decision.rewritten,
            reason=reason,
            decided_by=by,
        )


def _earlier(conversation: Sequence[BaseMessage]) -> bool:
    return any(isinstance(message, HumanMessage) for message in conversation[:-1])


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .?!¿¡。？！")


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
            rewritten=preferred.question,
            reason=f"{node} was asked for by name. On its own: {preferred.reason}",
        )
