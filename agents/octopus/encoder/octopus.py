"""Route by one matrix product on embeddings: the embedded default, without key, GPU, server or torch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
from langchain_core.messages import BaseMessage
from numpy.typing import NDArray

from agents.errors import RoutingError
from agents.octopus.cascade import Example, cascade, decision_of
from agents.octopus.conversation.follow_ups import (
    FollowUpModel,
    Hear,
    Heard,
    load_follow_up_model,
)
from agents.octopus.conversation.human_turns import (
    Said,
    Turn,
    clean_turns,
    human_turns,
)
from agents.octopus.conversation.language import ENGLISH, language_of
from agents.octopus.conversation.reading import Reader, Reading
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.heads import Head
from agents.octopus.encoder.languages import Spoken
from agents.types import Decision, Edge, NodeName, Octopus, Step

_HEARD = 512  # texts whose routing is remembered

NextStep = Callable[[str, Sequence[Step], str], Decision]
"""Decide what comes next, from a question, the steps of its walk and what it refers to; blocking."""


@runtime_checkable
class LocalOctopus(Octopus, Protocol):
    """Route in this process, many queries at once if need be."""

    @property
    def neighbours(self) -> Sequence[Edge]:
        """Return the edges of its node."""
        ...

    def decide(self, turns: Said) -> Decision:
        """Decide for the last of `turns`, human turns in order; blocking."""
        ...

    def decide_all(self, conversations: Sequence[Said]) -> list[Decision]:
        """Decide for each conversation; blocking."""
        ...


@dataclass
class EncoderOctopus:
    """Route by one matrix product over the neighbours' functional tokens.

    Attributes:
        neighbours: the edges of this node, in the head's order; nothing else can be chosen.
        head: query vector → probabilities.
        encoder: shared by all nodes.
        top: this graph's upper encoder layers, if it has an adapter.
        threshold: probability below which the cascade takes over; None takes the head's.
        generalist, parent: neighbours that the cascade may fall back to.
        follow_up: loads what tells follow-ups from changes of subject.
        next_step: decides after a step of the walk.
        unread: names the language of a query that nothing here reads; "" where it is read.
        spoken: builds what scores the English turns of a conversation; None takes `head` for them.
    """

    neighbours: Sequence[Edge]
    head: Head
    encoder: Encoder
    top: Path | None = None
    threshold: float | None = None
    generalist: NodeName | None = None
    parent: NodeName | None = None
    follow_up: Callable[[], FollowUpModel] = load_follow_up_model
    next_step: NextStep | None = None
    unread: Callable[[str], str] = lambda query: ""
    spoken: Callable[[], Spoken] | None = None

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

    def decide_next(self, turns: Sequence[Turn], path: Sequence[Step]) -> Decision:
        """Decide what follows the steps of `path`, or `<nexa_end>`; blocking."""
        if self.next_step is None:
            raise RoutingError("this Octopus was built without a graph to walk on.")
        refers_to = self.read(turns).refers_to if len(turns) > 1 else ""
        return self.next_step(turns[-1].text, path, refers_to)

    def nearest_example(self, query: str) -> Example | None:
        """Return the neighbours' example nearest to `query`; None without examples. Blocking."""
        return self._examples.nearest(self.encoder.embed([query], top=self.top)[0])

    def decide(self, turns: Said) -> Decision:
        """Decide for the last of `turns`, human turns in order; blocking."""
        said = clean_turns(turns)
        query = said[-1].text
        if len(said) > 1:
            return self._decide(query, lambda: self.encoder.embed([query], top=self.top)[0], self.read(said))
        vector = self.encoder.embed([query], top=self.top)[0]
        return self._decide(query, lambda: vector, Reading(self.head.probabilities(query, vector)))

    def decide_all(self, conversations: Sequence[Said]) -> list[Decision]:
        """Decide for each conversation; blocking."""
        return [self.decide(turns) for turns in conversations]

    def read(self, turns: Sequence[Turn]) -> Reading:
        """Read the last of `turns` in the light of those before it; blocking."""
        places = {edge.node: place for place, edge in enumerate(self.neighbours)}
        return Reader(self.hear, self.follow_up(), places, self.head.abstain).read(turns)

    @cached_property
    def hear(self) -> Hear:
        """Return what routes a text by itself, and remembers it: the next turn asks for it again."""
        spoken = self.spoken and self.spoken()
        tops = list(dict.fromkeys((self.top, None)))

        def hear(text: str) -> Heard:
            vectors = self.encoder.embed_by(text, tops)
            own, public = vectors[0], vectors[-1]
            if spoken is None or language_of(text) != ENGLISH:
                return Heard(public, self.head.probabilities(text, own))
            return Heard(public, spoken.probabilities(text, own, public))

        return lru_cache(_HEARD)(hear)

    def _decide(self, query: str, vector: Callable[[], NDArray[np.float32]], reading: Reading) -> Decision:
        probabilities = reading.probabilities[:-1]
        chosen = cascade(
            self.neighbours,
            probabilities,
            none=float(reading.probabilities[-1]),
            threshold=self.head.threshold if self.threshold is None else self.threshold,
            abstain=self.head.abstain,
            before=reading.node_before(self.neighbours),
            nearest=lambda: self._examples.nearest(vector()),
            parent=self.parent,
            generalist=self.generalist,
            query=query,
            unread=self.unread(query),
        )
        return decision_of(
            self.neighbours,
            probabilities,
            chosen,
            question=query,
            calibrated=self.head.calibrated,
            refers_to=reading.refers_to,
        )

    @cached_property
    def _examples(self) -> Examples:
        return Examples.of(self.neighbours, self.encoder, self.top)


@dataclass(frozen=True)
class Examples:
    """Find the example of a neighbour that is nearest to a query.

    Attributes:
        owners: [n] the place of each example's neighbour.
        texts: [n].
        vectors: [n, 384] unit embeddings.
    """

    owners: Sequence[int]
    texts: Sequence[str]
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, neighbours: Sequence[Edge], encoder: Encoder, top: Path | None = None) -> Self:
        """Embed the examples of `neighbours`."""
        pairs = [(k, text) for k, edge in enumerate(neighbours) for text in edge.examples]
        texts = [text for _, text in pairs]
        return cls([k for k, _ in pairs], texts, encoder.embed(texts, top=top))

    def nearest(self, vector: NDArray[np.float32]) -> Example | None:
        """Return the example nearest to the unit embedding `vector`; None where there are none."""
        if not self.texts:
            return None
        cosines = self.vectors @ vector
        best = int(cosines.argmax())
        return Example(self.owners[best], self.texts[best], float(cosines[best]))
