"""Route by a model on a server that picks a neighbour and rewrites the query for it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from langchain_core.messages import BaseMessage
from numpy.typing import NDArray

from agents.errors import ModelUnavailableError, RoutingError
from agents.octopus.calibration import softmax
from agents.octopus.cascade import END, Chosen, Example, cascade, decision_of, next_step
from agents.octopus.causal.grammar import MalformedCallError
from agents.octopus.conversation.human_turns import Turn, carried, carry_over, human_turns, uncarried
from agents.octopus.conversation.reading import Reading
from agents.types import Decision, Edge, NodeName, Octopus, Step

_MOST_SHOWN = 500  # characters of an earlier step's answer


class Scorer(Protocol):
    """Ask a served model about a query; the server may be any of several kinds."""

    async def probe(self, candidates: Sequence[Edge]) -> None:
        """Check that the server keeps to a constraint, before anything depends on it.

        Raises:
            RoutingError: it does not.
            ModelUnavailableError: it cannot be reached, or lacks model, adapter or tokens.
        """
        ...

    async def score(self, query: str, candidates: Sequence[Edge]) -> Sequence[float]:
        """Return log-probabilities of the candidates, in their order; they need not be normalised.

        Raises:
            RoutingError: the server chose none of the candidates.
            ModelUnavailableError: see `probe`.
        """
        ...

    async def rewrite(self, query: str, chosen: Edge) -> str:
        """Write what the chosen neighbour is sent, its template included.

        Raises:
            RoutingError: what the model wrote is no rewritten query.
            ModelUnavailableError: see `probe`.
        """
        ...


@dataclass
class RemoteOctopus:
    """Route by the probabilities that a served model gives to the legal tokens, and nothing else.

    Attributes:
        name: of the node, for messages.
        neighbours: the edges of this node.
        scorer: asks the server.
        threshold: probability below which the cascade takes over.
        temperature: divides the log-probabilities; None was not fitted, and probabilities are uncalibrated.
        abstains: whether `<nexa_end>` without a step before it means that no neighbour fits.
        generalist, parent: neighbours that the cascade may fall back to.
        fallback: decides where the server cannot; None raises.
        read: reads the last of several turns by the embedded default; None takes it by itself. Blocking.
        nearest_example: finds the neighbours' example nearest to a query; blocking.
        on_choice: called with the chosen node before its query is rewritten, to load its model meanwhile.
    """

    name: NodeName
    neighbours: Sequence[Edge]
    scorer: Scorer
    threshold: float = 0.0
    temperature: float | None = None
    abstains: bool = False
    generalist: NodeName | None = None
    parent: NodeName | None = None
    fallback: Octopus | None = None
    read: Callable[[Sequence[Turn]], Reading] | None = None
    nearest_example: Callable[[str], Example | None] = lambda query: None
    on_choice: Callable[[NodeName], None] = lambda node: None
    _probed: bool = field(default=False, init=False)

    async def route(self, conversation: Sequence[BaseMessage], path: Sequence[Step] = ()) -> Decision:
        """Decide for the last human turn; after steps of `path`, `<nexa_end>` is legal too.

        Raises:
            InputError: there is no human turn, or it is empty, not text, or spells a functional token.
            RoutingError: the server chose an illegal token, or does not keep to constraints.
            ModelUnavailableError: no replica answers.
        """
        try:
            return await self._route(conversation, path)
        except (ModelUnavailableError, RoutingError) as error:
            if self.fallback is None:
                raise
            route = await self.fallback.route(conversation, path)
            return replace(route, reason=f"{error.message} The embedded default decided: {route.reason}")

    async def _route(self, conversation: Sequence[BaseMessage], path: Sequence[Step]) -> Decision:
        turns = human_turns(conversation)
        said = turns[-1].text
        reading = await asyncio.to_thread(self.read, turns) if self.read and len(turns) > 1 else None
        refers_to = reading.refers_to if reading else ""
        candidates = [*self.neighbours, END] if path or self.abstains else list(self.neighbours)
        if not self._probed:
            await self.scorer.probe(self.neighbours)
            self._probed = True
        asked = carry_over(said, refers_to) + "".join(f"\n\n{carried(step, _MOST_SHOWN)}" for step in path)
        found = probabilities(candidates, await self.scorer.score(asked, candidates), self.temperature)
        if path:
            chosen = next_step(candidates, found, [step.node for step in path], self.threshold)
        else:
            candidates = list(self.neighbours)
            reading = (reading or Reading(found)).settled(found if self.abstains else np.append(found, 0.0))
            found = reading.probabilities
            chosen = await asyncio.to_thread(self._cascade, said, reading)
        decision = decision_of(
            candidates,
            found[: len(candidates)],
            chosen,
            question=said,
            calibrated=self.temperature is not None,
            refers_to=refers_to,
        )
        if chosen.place is None or decision.node is None:
            return decision
        return await self._rewritten(decision, candidates[chosen.place], asked)

    def _cascade(self, query: str, reading: Reading) -> Chosen:
        return cascade(
            self.neighbours,
            reading.probabilities[:-1],
            none=float(reading.probabilities[-1]),
            threshold=self.threshold,
            before=reading.node_before(self.neighbours),
            nearest=lambda: self.nearest_example(query),
            parent=self.parent,
            generalist=self.generalist,
            query=query,
        )

    async def _rewritten(self, decision: Decision, chosen: Edge, asked: str) -> Decision:
        """Let the model write the query. What is lost in that is found by whoever follows the decision."""
        self.on_choice(chosen.node)
        try:
            rewritten = await self.scorer.rewrite(asked, chosen)
            return replace(decision, rewritten=uncarried(rewritten, decision.refers_to))
        except (MalformedCallError, ModelUnavailableError) as error:  # the choice stands
            return replace(decision, reason=f"{decision.reason} {error.message} So the original was sent.")


def probabilities(
    candidates: Sequence[Edge], logprobs: Sequence[float], temperature: float | None = None
) -> NDArray[np.float64]:
    """Return the probabilities over the candidates alone, in their order.

    Raises:
        RoutingError: there are not as many log-probabilities as candidates, or one is not a number.
    """
    if len(logprobs) != len(candidates) or any(math.isnan(lp) or lp == math.inf for lp in logprobs):
        raise RoutingError(f"the Octopus scored {len(candidates)} candidates as {list(logprobs)!r}.")
    if max(logprobs) == -math.inf:
        raise RoutingError("the Octopus gives no candidate any probability.")
    return softmax(np.array(logprobs), temperature or 1.0)
