"""A walk through the graph: its path so far, its budgets, and the decisions along it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.runtime import Runtime

from agents.errors import RoutingError
from agents.fidelity import lost
from agents.ledger import Ledger, usage_of
from agents.modalities import attachments_of, human, with_words
from agents.octopus.carried import carried_answers
from agents.octopus.tokens import END_TOKEN
from agents.types import (
    Branch,
    CascadeStep,
    Choice,
    FunctionalToken,
    Hop,
    NodeName,
    Octopus,
    Route,
    Step,
    WorkerAnswer,
)
from graphs.state import Decision, GraphContext, GraphState

ALONE = Branch(part=0, parts=1, expert=0, experts=1, text="")


@dataclass(frozen=True)
class Crossing:
    """A node where a walk may turn: its Octopus, and what it needs to send a query to any neighbour.

    Attributes:
        templates: what the query for a neighbour looks like.
        ledger: of all workers of the graph.
        links: the edges from worker to worker.
    """

    name: NodeName
    octopus: Octopus
    neighbours: Mapping[NodeName, FunctionalToken]
    templates: Mapping[NodeName, str]
    ledger: Ledger = field(default_factory=Ledger)
    links: frozenset[tuple[NodeName, NodeName]] = frozenset()

    def ranked(self, decision: Decision) -> list[tuple[NodeName, float]]:
        """The neighbours among the choices of a decision, best first; `<nexa_end>` is none."""
        listed = [(NodeName(c["node"]), float(c["probability"])) for c in decision["choices"]]
        return [(node, p) for node, p in listed if node in self.neighbours and p > 0]

    def find(self, said: str) -> NodeName | None:
        """The neighbour that `said` names, by its name or token."""
        tokens: dict[str, NodeName] = {token: node for node, token in self.neighbours.items()}
        names = {node.casefold(): node for node in self.neighbours}
        return tokens.get(said.strip()) or names.get(said.strip().casefold())

    def aim(self, decision: Decision, node: NodeName, reason: str, by: CascadeStep) -> Decision:
        """The same decision for another neighbour."""
        query = self.templates[node].replace("{query}", decision["question"])
        probability = next((c["probability"] for c in decision["choices"] if c["node"] == node), 0.0)
        return Decision(
            **{
                **decision,
                "node": node,
                "token": self.neighbours[node],
                "probability": probability,
                "rewritten": query,
                "rewrite": "same" if query == decision["question"] else "changed",
                "reason": reason,
                "decided_by": by,
            }
        )


@dataclass(frozen=True)
class Walk:
    """One walk of a turn, as a node sees it.

    Attributes:
        conversation: the messages; the last one is the question, or the part of it that this walk is for.
        hops: what was executed on this walk so far.
        steps: decisions taken on it so far.
    """

    context: GraphContext
    turn: str
    branch: Branch
    conversation: Sequence[BaseMessage]
    hops: Sequence[Hop]
    steps: int

    @classmethod
    def of(cls, state: GraphState, runtime: Runtime[GraphContext]) -> Walk:
        """The walk that the current decision belongs to."""
        decision = state["decision"]
        branch = decision["branch"]
        conversation: list[BaseMessage] = [*state["messages"][:-1], with_words(state["messages"][-1])]
        if branch["text"]:
            conversation[-1] = HumanMessage(branch["text"])
        # A graph that is invoked without a context has None here.
        context = runtime.context or GraphContext()
        return cls(context, state["turn"], branch, conversation, hops_of(state, branch), decision["step"])

    def after(self, hop: Hop) -> Walk:
        """The walk one hop further."""
        return Walk(self.context, self.turn, self.branch, self.conversation, [*self.hops, hop], self.steps)

    @property
    def question(self) -> str:
        """What the user asked on this walk."""
        return str(self.conversation[-1].text)

    @property
    def path(self) -> tuple[Step, ...]:
        """The executed steps, as an Octopus reads them."""
        return tuple(
            Step(NodeName(hop["node"]), hop["query"], hop["answer"], hop["status"])  # type: ignore[arg-type]
            for hop in self.hops
        )

    @property
    def seconds_left(self) -> float:
        """Of `max_seconds`; only work counts, so that a run resumed next day goes on."""
        return self.context.max_seconds - sum(hop["seconds"] for hop in self.hops)

    def exhausted(self) -> str:
        """Which budget is used up, as a sentence; "" if none is. Parallel branches share hops and tokens."""
        walks = self.branch["parts"] * self.branch["experts"]
        share = f", of which {walks} branches get an equal share," if walks > 1 else ""
        if self.steps >= max(1, self.context.max_hops // walks):
            return f"The budget of {self.context.max_hops} hops{share} is used up."
        if sum(hop["tokens"] for hop in self.hops) >= self.context.max_tokens / walks:
            return f"The budget of {self.context.max_tokens:,} tokens{share} is used up."
        if self.seconds_left <= 0:
            return f"The budget of {self.context.max_seconds:g} seconds is used up."
        return ""

    async def decide(self, crossing: Crossing, *, said: str = "") -> Decision:
        """What the Octopus of `crossing` wants next, or a stop where a budget is used up.

        Args:
            crossing: the node that decides.
            said: what the user added when asked to say more.

        Raises:
            RoutingError: the Octopus gave a node without a token, or a token without a node.
        """
        if reason := self.exhausted():
            return stop(crossing.name, reason, self)
        started = time.perf_counter()
        conversation = self.conversation
        if said:
            conversation = [
                *conversation[:-1],
                human(f"{self.question}\n{said}", attachments_of(conversation[-1])),
            ]
        route = await crossing.octopus.route(conversation, self.path)
        return self._decision(crossing, route, str(conversation[-1].text), time.perf_counter() - started)

    def _decision(self, crossing: Crossing, route: Route, said: str, seconds: float) -> Decision:
        if (route.node is None) != (route.token is None or route.token == END_TOKEN):
            raise RoutingError(
                f"the Octopus of {crossing.name!r} gave node {route.node!r} with token {route.token!r}."
            )
        question = route.question or said
        rewritten, rewrite, reason = _faithful(said, question, route)
        return Decision(
            master=crossing.name,
            token=route.token or END_TOKEN,
            node=route.node,
            probability=route.probability,
            calibrated=route.calibrated,
            rewritten=rewritten + _answers(self.path, rewritten),
            question=question,
            reason=reason,
            decided_by=route.decided_by,
            choices=[_listed(choice) for choice in route.choices],
            rewrite=rewrite,
            branch=self.branch,
            step=self.steps + 1,
            seconds=seconds,
            fan=[],
        )


def is_alone(branch: Branch) -> bool:
    """Whether it is the only walk of its turn."""
    return branch["parts"] == branch["experts"] == 1


def hops_of(state: GraphState, branch: Branch) -> list[Hop]:
    """The hops of one walk of this turn, in order."""
    hops = state.get("hops", [])
    return [hop for hop in hops if hop["turn"] == state["turn"] and hop["branch"] == branch]


def stop(master: str, reason: str, walk: Walk | None = None) -> Decision:
    """A decision to end a walk that no Octopus took; of no walk, the one that a turn begins with."""
    return Decision(
        master=master,
        token=END_TOKEN,
        node=None,
        probability=1.0,
        calibrated=False,
        rewritten="",
        question="",
        reason=reason,
        decided_by="token",
        choices=[],
        rewrite="same",
        branch=walk.branch if walk else ALONE,
        step=walk.steps if walk else 0,
        seconds=0.0,
        fan=[],
    )


def hop_of(turn: str, node: str, decision: Decision, answer: WorkerAnswer, seconds: float) -> Hop:
    """The executed step that `decision` led to."""
    return Hop(
        turn=turn,
        branch=decision["branch"],
        master=decision["master"],
        token=decision["token"],
        node=node,
        probability=decision["probability"],
        calibrated=decision["calibrated"],
        query=decision["rewritten"],
        reason=decision["reason"],
        status=answer.status,
        answer=answer.text,
        evidence=answer.evidence,
        choices=decision["choices"],
        rewrite=decision["rewrite"],
        tokens=sum(usage_of(answer.evidence)),
        cost=0.0,
        saved=0.0,
        seconds=decision["seconds"] + seconds,
        ended="",
    )


def probability(hops: Sequence[Hop]) -> float:
    """Of a path: the product over its hops."""
    return math.prod(hop["probability"] for hop in hops)


def _faithful(said: str, question: str, route: Route) -> tuple[str, str, str]:
    """The rewritten query, what became of what the user said, and the reason; a lossy rewrite is not sent."""
    if route.node is None or route.rewritten == said:
        return route.rewritten, "same", route.reason
    missing = lost(question, route.rewritten)
    if not missing:
        return route.rewritten, "changed", route.reason
    shown = ", ".join(map(repr, missing[:3]))
    return question, "bypassed", f"{route.reason} Its rewrite lost {shown}, so the original was sent."


def _answers(path: Sequence[Step], rewritten: str) -> str:
    """What the workers before said, flagged, for the next one; without what the rewrite has already."""
    return "".join(f"\n\n{text}" for text in carried_answers(path) if text not in rewritten)


def _listed(choice: Choice) -> dict[str, Any]:
    return {"token": choice.token, "node": choice.node, "probability": round(choice.probability, 6)}
