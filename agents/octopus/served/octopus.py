"""The remote Octopus: a model on a server picks a neighbour and rewrites the query for it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from langchain_core.messages import BaseMessage

from agents.errors import ModelUnavailableError, RoutingError
from agents.octopus.carried import carried
from agents.octopus.causal.call_text import MalformedCallError
from agents.octopus.conversation.human_turns import as_one_question, carry_over, human_turns
from agents.octopus.encoder.octopus import MOST_CHOICES
from agents.octopus.tokens import END_TOKEN
from agents.types import CascadeStep, Choice, Decision, Edge, NodeName, Octopus, Step

_MOST_SHOWN = 500  # characters of an earlier step's answer
END_NODE = NodeName("answer")


END = Edge(END_NODE, END_TOKEN, "", "Nothing more is needed: the steps so far answer the question.")


class Scorer(Protocol):
    """What a served model says of a query; the server may be any of several kinds."""

    async def probe(self, candidates: Sequence[Edge]) -> None:
        """See that the server keeps to a constraint, before anything depends on it.

        Raises:
            RoutingError: it does not.
            ModelUnavailableError: it cannot be reached, or lacks model, adapter or tokens.
        """
        ...

    async def score(self, query: str, candidates: Sequence[Edge]) -> Sequence[float]:
        """Log-probabilities of the candidates, in their order; they need not be normalised.

        Raises:
            RoutingError: the server chose none of the candidates.
            ModelUnavailableError: see `probe`.
        """
        ...

    async def rewrite(self, query: str, chosen: Edge) -> str:
        """What the chosen neighbour is sent; its template is in it, by training or put there.

        Raises:
            RoutingError: what the model wrote is no rewritten query.
            ModelUnavailableError: see `probe`.
        """
        ...


@dataclass
class RemoteOctopus:
    """Routes by the probabilities that a served model gives to the legal tokens, and nothing else.

    Attributes:
        name: of the node, for messages.
        neighbours: the edges of this node.
        scorer: asks the server.
        threshold: probability below which the cascade takes over.
        temperature: divides the log-probabilities; None was not fitted, and probabilities are uncalibrated.
        abstains: whether `<nexa_end>` without a step before it means that no neighbour fits.
        generalist: the neighbour that the cascade falls back to.
        fallback: decides where the server cannot; None raises.
        refers_to: the earlier turn that the last one follows up on, or ""; blocking.
        on_choice: is told the chosen node before its query is rewritten, to load its model meanwhile.
    """

    name: NodeName
    neighbours: Sequence[Edge]
    scorer: Scorer
    threshold: float = 0.0
    temperature: float | None = None
    abstains: bool = False
    generalist: NodeName | None = None
    fallback: Octopus | None = None
    refers_to: Callable[[Sequence[str]], str] = lambda turns: ""
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
        refers_to = await asyncio.to_thread(self.refers_to, turns) if len(turns) > 1 else ""
        query, question = carry_over(turns[-1], refers_to), as_one_question(turns[-1], refers_to)
        candidates = [*self.neighbours, END] if path or self.abstains else list(self.neighbours)
        if not self._probed:
            await self.scorer.probe(self.neighbours)
            self._probed = True
        asked = query + _steps(path)
        logprobs = await self.scorer.score(asked, candidates)
        choices = renormalised(candidates, [lp / (self.temperature or 1.0) for lp in logprobs])
        chosen, decided_by, reason = self._cascade(choices, path)
        route = Decision(
            node=chosen.node if chosen and chosen is not END else None,
            token=chosen.token if chosen else None,
            probability=_probability(choices, chosen),
            rewritten="",
            reason=reason,
            decided_by=decided_by,
            calibrated=self.temperature is not None,
            choices=tuple(choices[:MOST_CHOICES]),
            question=question,
        )
        return await self._rewritten(route, chosen, asked, query)

    async def _rewritten(self, route: Decision, chosen: Edge | None, asked: str, query: str) -> Decision:
        """The route with its query. What is lost in rewriting is found by whoever follows the route."""
        if chosen is None or route.node is None:
            return replace(route, rewritten=query)
        self.on_choice(chosen.node)
        try:
            rewritten = await self.scorer.rewrite(asked, chosen)
        except (MalformedCallError, ModelUnavailableError) as error:  # the choice stands
            rewritten = chosen.query(query)
            route = replace(route, reason=f"{route.reason} {error.message} So the original was sent.")
        return replace(route, rewritten=rewritten)

    def _cascade(
        self, choices: Sequence[Choice], path: Sequence[Step]
    ) -> tuple[Edge | None, CascadeStep, str]:
        """Token probability → generalist → ask the user."""
        best = choices[0]
        by_node = {one.node: one for one in self.neighbours}
        if best.token == END_TOKEN and not path:
            return None, "ask", f"Probably none of the neighbours fits ({best.probability:.2f}). Say more."
        if best.token == END_TOKEN:
            return END, "token", f"The steps so far answer the question ({best.probability:.2f})."
        if best.probability >= self.threshold:
            text = f"{best.node} has the highest probability, {best.probability:.2f}."
            return by_node[best.node], "token", text
        doubt = (
            f"The best neighbour, {best.node}, has only {best.probability:.2f} of the "
            f"{self.threshold:.2f} needed"
        )
        if path:
            return END, "token", f"{doubt}, so the walk ends."
        if self.generalist is not None:
            return by_node[self.generalist], "generalist", f"{doubt}, so {self.generalist} takes it."
        return None, "ask", f"{doubt}. Say more, or name the subject."


def renormalised(candidates: Sequence[Edge], logprobs: Sequence[float]) -> list[Choice]:
    """Probabilities over the candidates alone, best first.

    Raises:
        RoutingError: there are not as many log-probabilities as candidates, or one is not a number.
    """
    if len(logprobs) != len(candidates) or any(math.isnan(lp) or lp == math.inf for lp in logprobs):
        raise RoutingError(f"the Octopus scored {len(candidates)} candidates as {list(logprobs)!r}.")
    most = max(logprobs)
    if most == -math.inf:
        raise RoutingError("the Octopus gives no candidate any probability.")
    weights = [math.exp(lp - most) for lp in logprobs]
    total = sum(weights)
    found = [
        Choice(one.token, one.node, weight / total) for one, weight in zip(candidates, weights, strict=True)
    ]
    return sorted(found, key=lambda choice: -choice.probability)


def _probability(choices: Sequence[Choice], chosen: Edge | None) -> float:
    if chosen is None:
        return choices[0].probability
    return next(choice.probability for choice in choices if choice.node == chosen.node)


def _steps(path: Sequence[Step]) -> str:
    """What was done so far, as the next worker reads it too."""
    return "".join(f"\n\n{carried(step, _MOST_SHOWN)}" for step in path)
