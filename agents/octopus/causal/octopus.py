"""Route by a local language model that picks a neighbour and rewrites the query for it.

Octopus v4's router (arXiv 2404.19296): `<nexa_4>('rewritten query')<nexa_end>`. Nothing here imports torch;
the model behind the batcher does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

import numpy as np
from langchain_core.messages import BaseMessage
from numpy.typing import NDArray

from agents.errors import RoutingError
from agents.octopus.calibration import softmax
from agents.octopus.cascade import Chosen, cascade, decision_of
from agents.octopus.causal.batching import Batcher, CallReply, CallRequest
from agents.octopus.causal.grammar import Grammar, MalformedCallError
from agents.octopus.causal.prompt import Prompt, PromptFormat
from agents.octopus.conversation.follow_ups import (
    FollowUpModel,
    Heard,
    load_follow_up_model,
)
from agents.octopus.conversation.human_turns import (
    Said,
    Turn,
    carry_over,
    clean_turns,
    human_turns,
    uncarried,
)
from agents.octopus.conversation.reading import Reader, Reading
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.octopus import Examples, NextStep
from agents.types import Decision, Edge, NodeName, Step


@dataclass(frozen=True)
class CausalParts:
    """Hold what the Octopuses of one artifact share: the model behind its batcher, prompts, calls.

    Attributes:
        context: how many tokens the model reads and writes.
    """

    batcher: Batcher[CallRequest, CallReply]
    prompts: PromptFormat
    grammar: Grammar
    context: int


@dataclass
class CausalOctopus:
    """Route by the probability of functional tokens after the prompt.

    Attributes:
        neighbours: the edges of this node; nothing else can be chosen.
        legal: the id of each neighbour's functional token, in the same order.
        parts: shared with the Octopuses of other nodes.
        encoder: tells follow-ups from changes of subject; a first turn does without it.
        adapter: folder of this master's adapter; None speaks with the base alone.
        calibrated: whether `temperature` was fitted.
        abstains: whether `<nexa_end>` first means that no neighbour fits.
        generalist, parent: neighbours that the cascade may fall back to.
        next_step: decides after a step of the walk.
        on_choice: called with the node whose query is written next, so that its model can begin to load.
    """

    neighbours: Sequence[Edge]
    legal: Sequence[int]
    parts: CausalParts
    encoder: Encoder
    adapter: str | None = None
    temperature: float = 1.0
    threshold: float = 0.0
    calibrated: bool = False
    abstains: bool = False
    generalist: NodeName | None = None
    parent: NodeName | None = None
    follow_up: FollowUpModel = field(default_factory=load_follow_up_model)
    next_step: NextStep | None = None
    on_choice: Callable[[NodeName], None] = lambda node: None

    async def route(self, conversation: Sequence[BaseMessage], path: Sequence[Step] = ()) -> Decision:
        """Decide for the last human turn, in the light of the turns before it.

        Raises:
            InputError: there is no human turn, or it is empty or not text.
            RoutingError: a step of `path` is not a node of the graph, or this node knows no graph.
        """
        turns = human_turns(conversation)
        if path:
            return await asyncio.to_thread(self.decide_next, turns, path)
        asked = await asyncio.to_thread(self._read, turns)
        reply = (await self.parts.batcher.ask_async([self._request(asked)]))[0]
        return await asyncio.to_thread(self._decision, asked, reply)

    def decide_next(self, turns: Sequence[Turn], path: Sequence[Step]) -> Decision:
        """Decide what follows the steps of `path`, or `<nexa_end>`; blocking."""
        if self.next_step is None:
            raise RoutingError("this Octopus was built without a graph to walk on.")
        asked = self._read(turns)
        return self.next_step(asked.query, path, asked.refers_to)

    def decide(self, turns: Said) -> Decision:
        """Decide for the last of `turns`, human turns in order; blocking."""
        return self.decide_all([turns])[0]

    def decide_all(self, conversations: Sequence[Said]) -> list[Decision]:
        """Decide for each conversation, batched; blocking."""
        asked = [self._read(clean_turns(turns)) for turns in conversations]
        replies = self.parts.batcher.ask([self._request(one) for one in asked])
        return [self._decision(one, reply) for one, reply in zip(asked, replies, strict=True)]

    def choose_all(self, queries: Sequence[str]) -> list[NDArray[np.float64]]:
        """Return [neighbours + 1] probabilities for each query, without a rewrite; the last is "none"."""
        prompts = [self._prompt(query)[0] for query in queries]
        asked = [CallRequest(prompt, self.adapter, self._tokens, _write_none) for prompt in prompts]
        return [self._probabilities(reply.logits) for reply in self.parts.batcher.ask(asked)]

    def _read(self, turns: Sequence[Turn]) -> _Asked:
        """Read the conversation: the model routes each turn alone, and exchanges as one text."""
        if len(turns) == 1:
            return _Asked(turns[0].text)
        texts = list(dict.fromkeys(turn.text for turn in turns))
        alone = dict(zip(texts, self.choose_all(texts), strict=True))

        @cache
        def hear(text: str) -> Heard:
            found = alone[text] if text in alone else self.choose_all([text])[0]
            return Heard(self.encoder.embed([text])[0], found)

        places = {edge.node: place for place, edge in enumerate(self.neighbours)}
        return _Asked(turns[-1].text, Reader(hear, self.follow_up, places).read(turns))

    def _request(self, asked: _Asked) -> CallRequest:
        def pick(logits: NDArray[np.float64]) -> int | None:
            place = self._cascade(asked, self._in_context(asked, logits)).place
            if place is not None:
                self.on_choice(self.neighbours[place].node)
            return place

        prompt, whole = self._prompt(carry_over(asked.query, asked.refers_to))
        return CallRequest(prompt, self.adapter, self._tokens, pick if whole else _write_none)

    @property
    def _tokens(self) -> tuple[int, ...]:
        return (*self.legal, self.parts.grammar.end) if self.abstains else tuple(self.legal)

    def _prompt(self, query: str) -> tuple[Prompt, bool]:
        """Return the prompt, and whether it holds the whole query or only its beginning and its end."""
        prompt = self.parts.prompts.prompt(query)
        room = self.parts.context // 2 - len(prompt.shared) - len(prompt.after)  # the call repeats the query
        if len(prompt.query) <= room:
            return prompt, True
        ends = prompt.query[: room // 2] + prompt.query[-(room // 2) :]
        return Prompt(prompt.shared, ends, prompt.after), False

    def _probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        found = softmax(logits, self.temperature)
        return found if self.abstains else np.append(found, 0.0)

    def _in_context(self, asked: _Asked, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._probabilities(logits) if asked.reading is None else asked.reading.probabilities

    def _cascade(self, asked: _Asked, probabilities: NDArray[np.float64]) -> Chosen:
        return cascade(
            self.neighbours,
            probabilities[:-1],
            none=float(probabilities[-1]),
            threshold=self.threshold,
            before=asked.reading.node_before(self.neighbours) if asked.reading else None,
            nearest=lambda: self._examples.nearest(self.encoder.embed([asked.query])[0]),
            parent=self.parent,
            generalist=self.generalist,
            query=asked.query,
        )

    @cached_property
    def _examples(self) -> Examples:
        return Examples.of(self.neighbours, self.encoder)

    def _decision(self, asked: _Asked, reply: CallReply) -> Decision:
        probabilities = self._in_context(asked, reply.logits)
        chosen = self._cascade(asked, probabilities)
        decision = decision_of(
            self.neighbours,
            probabilities[:-1],
            chosen,
            question=asked.query,
            calibrated=self.calibrated,
            refers_to=asked.refers_to,
        )
        if chosen.place is None:
            return decision
        rewritten, fault = self._rewritten(reply)
        if fault:
            return replace(decision, reason=f"{chosen.reason} Its rewrite was not used ({fault}).")
        return replace(decision, rewritten=uncarried(rewritten, asked.refers_to))

    def _rewritten(self, reply: CallReply) -> tuple[str, str]:
        """Return what the model wrote, or why that is no call."""
        if reply.output is None:
            return "", "the query is too long"
        try:
            return self.parts.grammar.read(reply.output, self.legal).rewritten, ""
        except MalformedCallError as error:
            return "", error.fault


@dataclass(frozen=True)
class _Asked:
    """Hold a query, and for one with turns before it how the conversation is read."""

    query: str
    reading: Reading | None = None

    @property
    def refers_to(self) -> str:
        return self.reading.refers_to if self.reading else ""


def _write_none(logits: NDArray[np.float64]) -> None:
    """Ask for probabilities only."""
