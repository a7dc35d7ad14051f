"""The encoder Octopus, the embedded default: no key, no GPU, no server, no torch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.messages import BaseMessage
from numpy.typing import NDArray

from agents.errors import RoutingError
from agents.octopus.conversation.follow_ups import (
    FollowUpModel,
    Reading,
    Turn,
    load_follow_up_model,
    read_conversation,
)
from agents.octopus.conversation.human_turns import as_one_question, carry_over, human_turns
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.heads import Head
from agents.types import CascadeStep, Choice, Decision, Edge, NodeName, Step

if TYPE_CHECKING:
    from agents.octopus.planning.stepwise import Onward

MOST_CHOICES = 32  # how many ranked choices a route lists
_NEAR = 0.72  # cosine from which an example speaks for its worker


@dataclass
class EncoderOctopus:
    """Routes by one matrix product over the neighbours' functional tokens.

    Attributes:
        neighbours: the edges of this node, in the head's order; nothing else can be chosen.
        head: query vector → probabilities.
        encoder: shared by all nodes.
        top: this graph's upper encoder layers, if it has an adapter.
        threshold: probability below which the cascade takes over; None takes the head's.
        generalist, parent: neighbours that the cascade may fall back to.
        onward: what decides after a step of the walk, built on first use.
    """

    neighbours: Sequence[Edge]
    head: Head
    encoder: Encoder
    top: Path | None = None
    threshold: float | None = None
    generalist: NodeName | None = None
    parent: NodeName | None = None
    follow_up: FollowUpModel = field(default_factory=load_follow_up_model)
    onward: Callable[[], Onward] | None = None

    async def route(self, conversation: Sequence[BaseMessage], path: Sequence[Step] = ()) -> Decision:
        """Decide for the last human turn, in the light of the turns before it.

        Raises:
            InputError: there is no human turn, or it is empty, too long, or not text.
            RoutingError: a step of `path` is not a node of the graph, or this node knows no graph.
        """
        turns = human_turns(conversation)
        if path:
            return await asyncio.to_thread(self.decide_next, turns, path)
        return await asyncio.to_thread(self.decide, turns)

    def decide_next(self, turns: Sequence[str], path: Sequence[Step]) -> Decision:
        """The route after the steps of `path`, or `<nexa_end>`; blocking."""
        if self.onward is None:
            raise RoutingError("this Octopus was built without a graph to walk on.")
        return self.onward().route(carry_over(turns[-1], self.refers_to(turns)), path)

    def refers_to(self, turns: Sequence[str]) -> str:
        """The earlier turn that the last one of `turns` follows up on; "" if it stands alone. Blocking."""
        if len(turns) < 2:
            return ""
        return self._read(turns, self.encoder.embed(turns, top=self.top)).refers_to

    def decide(self, turns: Sequence[str]) -> Decision:
        """The route for the last of `turns`, human turns in order; blocking."""
        return self.decide_all([turns])[0]

    def decide_all(self, conversations: Sequence[Sequence[str]]) -> list[Decision]:
        """A route for each conversation, embedded together; blocking."""
        vectors = self.encoder.embed([turn for turns in conversations for turn in turns], top=self.top)
        routes, start = [], 0
        for turns in conversations:
            own = vectors[start : start + len(turns)]
            start += len(turns)
            routes.append(self._choose(turns[-1], own[-1], self._read(turns, own)))
        return routes

    def _read(self, turns: Sequence[str], vectors: NDArray[np.float32]) -> Reading:
        read = [
            Turn(text, vector, self.head.probabilities(text, vector))
            for text, vector in zip(turns, vectors, strict=True)
        ]
        return read_conversation(read, self.follow_up)

    def _choose(self, query: str, vector: NDArray[np.float32], reading: Reading) -> Decision:
        choices = self._ranked(reading.probabilities[:-1])
        index, decided_by, reason = self._cascade(query, vector, reading, choices)
        chosen = None if index is None else self.neighbours[index]
        template = chosen.template if chosen else "{query}"
        return Decision(
            node=chosen.node if chosen else None,
            token=chosen.token if chosen else None,
            probability=float(reading.probabilities[index if index is not None else choices[0][0]]),
            rewritten=template.replace("{query}", carry_over(query, reading.refers_to)),
            reason=reason,
            decided_by=decided_by,
            calibrated=self.head.calibrated,
            choices=tuple(
                Choice(self.neighbours[k].token, self.neighbours[k].node, probability)
                for k, probability in choices
            ),
            question=as_one_question(query, reading.refers_to),
        )

    @staticmethod
    def _ranked(probabilities: NDArray[np.float64]) -> list[tuple[int, float]]:
        some = np.arange(len(probabilities))
        if len(some) > MOST_CHOICES:
            some = np.argpartition(-probabilities, MOST_CHOICES)[:MOST_CHOICES]
        order = some[np.argsort(-probabilities[some], kind="stable")]
        return [(int(k), float(probabilities[k])) for k in order]

    def _cascade(
        self, query: str, vector: NDArray[np.float32], reading: Reading, choices: list[tuple[int, float]]
    ) -> tuple[int | None, CascadeStep, str]:
        """Token probability → nearest example → parent → generalist → ask the user."""
        best, probability = choices[0]
        name = self.neighbours[best].node
        none = float(reading.probabilities[-1])
        threshold = self.head.threshold if self.threshold is None else self.threshold
        after = f", as a follow-up to {_quote(reading.refers_to)}" if reading.refers_to else ""
        if probability >= threshold and none <= self.head.abstain:
            return best, "token", f"{name} has the highest probability, {probability:.2f}{after}."
        doubt = (
            f"probably none of the neighbours fits ({none:.2f}; the best, {name}, {probability:.2f})"
            if none > self.head.abstain
            else f"the best neighbour, {name}, has only {probability:.2f} of the {threshold:.2f} needed"
        )
        example = self._nearest_example(vector)
        if example is not None:
            owner, text, cosine = example
            near = f"the example {_quote(text)} of {self.neighbours[owner].node} is near ({cosine:.2f})"
            return owner, "examples", f"{doubt}, but {near}."
        if none <= self.head.abstain and (found := fall_back(self.neighbours, self.parent, self.generalist)):
            index, step = found
            return index, step, f"{doubt}, so {self.neighbours[index].node} takes it as the {step}."
        return None, "ask", f"{doubt[0].upper()}{doubt[1:]}. Say more, in English, or name the subject."

    def _nearest_example(self, vector: NDArray[np.float32]) -> tuple[int, str, float] | None:
        owners, texts, vectors = self._examples
        if not texts:
            return None
        cosines = vectors @ vector
        best = int(cosines.argmax())
        return (owners[best], texts[best], float(cosines[best])) if cosines[best] >= _NEAR else None

    @cached_property
    def _examples(self) -> tuple[list[int], list[str], NDArray[np.float32]]:
        pairs = [(k, text) for k, n in enumerate(self.neighbours) for text in n.examples]
        texts = [text for _, text in pairs]
        return [k for k, _ in pairs], texts, self.encoder.embed(texts, top=self.top)


def fall_back(
    neighbours: Sequence[Edge], parent: NodeName | None, generalist: NodeName | None
) -> tuple[int, CascadeStep] | None:
    """The place of the neighbour that takes what is in doubt: the parent, else the generalist."""
    steps: tuple[tuple[CascadeStep, NodeName | None], ...] = (("parent", parent), ("generalist", generalist))
    places = {neighbour.node: k for k, neighbour in enumerate(neighbours)}
    return next(((places[node], step) for step, node in steps if node in places), None)


def _quote(text: str, most: int = 60) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= most else flat[: most - 1] + "…")
