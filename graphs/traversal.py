"""Walk through the graph: the path so far, its budgets, and the decisions along it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.runtime import Runtime

from agents.errors import InputError, RoutingError
from agents.fidelity import lost
from agents.ledger import Ledger, usage_of
from agents.modalities import attachments_of, human, with_words
from agents.octopus.conversation.asked import asked
from agents.octopus.conversation.human_turns import carried_answers, carry_over
from agents.octopus.tokens import END_TOKEN
from agents.types import (
    Branch,
    CascadeStep,
    Decision,
    Edge,
    Hop,
    Limits,
    NodeName,
    Octopus,
    Rewrite,
    Step,
    WorkerAnswer,
    failure,
)
from graphs.state import GraphContext, GraphState
from graphs.tool_turns import asked_and_since, caller

ALONE = Branch(part=0, parts=1, expert=0, experts=1, text="")


@dataclass(frozen=True)
class RoutingNode:
    """Hold what a node needs to send a query to a neighbour: its Octopus, its edges, the graph's ledger.

    Attributes:
        edges: by neighbour.
        ledger: of all workers of the graph.
        links: the edges from worker to worker.
        ways: of every node that can be reached from here, the neighbour that leads to it.
        models: what answers in words at the neighbours, "" for the general model; others are left out.
        generalist: the neighbour that takes what nobody else can answer.
    """

    name: NodeName
    octopus: Octopus
    edges: Mapping[NodeName, Edge]
    ledger: Ledger = field(default_factory=Ledger)
    links: frozenset[tuple[NodeName, NodeName]] = frozenset()
    ways: Mapping[NodeName, NodeName] = field(default_factory=dict)
    models: Mapping[NodeName, str] = field(default_factory=dict)
    generalist: NodeName | None = None

    def ranked(self, hop: Hop) -> list[tuple[NodeName, float]]:
        """Return the neighbours among the choices of `hop`, best first; `<nexa_end>` is none."""
        listed = [(NodeName(c["node"]), float(c["probability"])) for c in hop["choices"]]
        return [(node, p) for node, p in listed if node in self.edges and p > 0]

    def find(self, said: str) -> NodeName | None:
        """Return the neighbour that `said` names, by its name or token."""
        tokens: dict[str, NodeName] = {edge.token: node for node, edge in self.edges.items()}
        names = {node.casefold(): node for node in self.edges}
        return tokens.get(said.strip()) or names.get(said.strip().casefold())

    def redirect(self, hop: Hop, node: NodeName, reason: str, by: CascadeStep = "token") -> Hop:
        """Return the planned `hop` with another neighbour as its goal."""
        edge, question = self.edges[node], hop["question"]
        found: Hop = {**hop, "node": node, "token": edge.token, "reason": reason, "decided_by": by}
        found["probability"] = next((c["probability"] for c in hop["choices"] if c["node"] == node), 0.0)
        found["query"] = edge.query(question)
        found["rewrite"] = "same" if found["query"] == question else "changed"
        return found


@dataclass(frozen=True)
class Walk:
    """Show one walk of a turn to the node where it is.

    Attributes:
        conversation: the messages; the last one is the question, or the part of it that this walk is for.
        hops: what was executed on this walk so far.
        steps: decisions taken on it so far.
        since: the calls of the client's tools after the question, and their results.
    """

    context: GraphContext
    turn: str
    branch: Branch
    conversation: Sequence[BaseMessage]
    hops: Sequence[Hop]
    steps: int
    since: Sequence[BaseMessage] = ()

    @classmethod
    def of(cls, state: GraphState, runtime: Runtime[GraphContext]) -> Walk:
        """Return the walk that the planned hop belongs to.

        Raises:
            InputError: an earlier version of this program left the run at this node.
        """
        if not state.get("planned"):
            raise InputError(
                "an earlier version of this program left this run unfinished.",
                hint="Send the question again.",
            )
        hop = state["planned"][0]
        said, since = asked_and_since(state["messages"])
        conversation = [*said[:-1], with_words(said[-1])]
        if hop["branch"]["text"]:
            conversation[-1] = HumanMessage(hop["branch"]["text"])
        # A graph that is invoked without a context has None here.
        context = runtime.context or GraphContext()
        done = hops_of(state, hop["branch"])
        return cls(context, state["turn"], hop["branch"], conversation, done, hop["step"], since)

    def after(self, hop: Hop) -> Walk:
        """Return the walk one hop further."""
        return replace(self, hops=[*self.hops, hop])

    @property
    def question(self) -> str:
        """Return what the user asked on this walk."""
        return str(self.conversation[-1].text)

    @property
    def path(self) -> tuple[Step, ...]:
        """Return the executed steps, as an Octopus reads them."""
        return tuple(
            Step(NodeName(hop["node"]), hop["query"], hop["answer"], hop["status"])  # type: ignore[arg-type]
            for hop in self.hops
        )

    @property
    def seconds_left(self) -> float:
        """Return what is left of `max_seconds`; only work counts, so that a run can be resumed next day."""
        return self.context.max_seconds - sum(hop["seconds"] for hop in self.hops)

    @property
    def limits(self) -> Limits:
        """Return what is left for the tools that a model calls by itself."""
        walks = self.branch["parts"] * self.branch["experts"]
        called = sum(len(hop["evidence"].get("steps", ())) for hop in self.hops)
        used = sum(hop["tokens"] for hop in self.hops)
        calls = max(0, math.ceil(self.context.max_tool_calls / walks) - called)
        return Limits(calls, max(1, self.context.max_tokens // walks - used))

    def exhausted(self) -> str:
        """Name the budget that is used up, in a sentence; "" if none is. Branches share hops and tokens."""
        walks = self.branch["parts"] * self.branch["experts"]
        share = f", of which {walks} branches get an equal share," if walks > 1 else ""
        if self.steps >= max(1, self.context.max_hops // walks):
            return f"The budget of {self.context.max_hops} hops{share} is used up."
        if sum(hop["tokens"] for hop in self.hops) >= self.context.max_tokens / walks:
            return f"The budget of {self.context.max_tokens:,} tokens{share} is used up."
        if self.seconds_left <= 0:
            return f"The budget of {self.context.max_seconds:g} seconds is used up."
        return ""

    async def decide(self, at: RoutingNode, *, said: str = "") -> Hop:
        """Plan what the Octopus at a node wants next, or a stop where a budget is used up.

        Args:
            at: the node that decides.
            said: what the user added when asked to say more.

        Raises:
            RoutingError: the Octopus gave a node without a token, or a token without a node.
        """
        if reason := self.exhausted():
            return stop(at.name, reason, self)
        if (called := caller(self.since, at.ways)) is not None:
            return self._back(at, called)
        started = time.perf_counter()
        conversation = self.conversation
        if said:
            more = human(f"{self.question}\n{said}", attachments_of(conversation[-1]))
            conversation = [*conversation[:-1], more]
        decision = await at.octopus.route(conversation, self.path)
        hop = self._planned(at, decision, str(conversation[-1].text))
        return {
            **hop,
            "readings": list(asked(conversation).readings),
            "seconds": time.perf_counter() - started,
        }

    def _back(self, at: RoutingNode, called: NodeName) -> Hop:
        """Plan the way to the worker that called the client's tools."""
        reason = f"The results of the tools go to {called}, which called them."
        hop: Hop = {**stop(at.name, "", self), "question": self.question}
        found = at.redirect(hop, at.ways[called], reason, "call")
        return {**found, "probability": 1.0, "step": self.steps + 1}

    def _planned(self, at: RoutingNode, decision: Decision, said: str) -> Hop:
        if (decision.node is None) != (decision.token is None or decision.token == END_TOKEN):
            raise RoutingError(
                f"the Octopus of {at.name!r} gave node {decision.node!r} with token {decision.token!r}."
            )
        question = decision.question or said
        query, rewrite, reason = _faithful(said, question, decision)
        hop = stop(at.name, reason, self)
        hop["token"], hop["node"] = decision.token or END_TOKEN, decision.node or ""
        hop["probability"], hop["calibrated"] = decision.probability, decision.calibrated
        hop["question"], hop["query"] = question, query + _answers(self.path, query)
        hop["refers_to"] = decision.refers_to
        hop["rewrite"], hop["decided_by"] = rewrite, decision.decided_by
        hop["choices"] = [
            {**asdict(choice), "probability": round(choice.probability, 6)} for choice in decision.choices
        ]
        hop["step"] = self.steps + 1
        return hop


def is_alone(branch: Branch) -> bool:
    """Return whether it is the only walk of its turn."""
    return branch["parts"] == branch["experts"] == 1


def hops_of(state: GraphState, branch: Branch) -> list[Hop]:
    """Return the hops of one walk of this turn, in order."""
    hops = state.get("hops", [])
    return [hop for hop in hops if hop["turn"] == state["turn"] and hop["branch"] == branch]


def stop(master: str, reason: str, walk: Walk | None = None) -> Hop:
    """Plan the end of a walk that no Octopus decided; without a walk, the state that a turn begins with."""
    return Hop(
        turn=walk.turn if walk else "",
        branch=walk.branch if walk else ALONE,
        step=walk.steps if walk else 0,
        master=master,
        token=END_TOKEN,
        node="",
        probability=1.0,
        calibrated=False,
        question="",
        refers_to="",
        query="",
        readings=[],
        rewrite="same",
        reason=reason,
        decided_by="token",
        choices=[],
        status="planned",
        answer="",
        evidence={},
        calls=[],
        failure=None,
        tokens=0,
        cost=0.0,
        saved=0.0,
        seconds=0.0,
        ended="",
    )


def with_reference(hop: Hop) -> Hop:
    """Return the planned `hop` with what its query refers to, for who does not see the conversation."""
    refers_to = hop.get("refers_to", "")  # an earlier version of this program planned none
    if not refers_to:
        return hop
    return {**hop, "query": carry_over(hop["query"], refers_to), "rewrite": "changed"}


def executed(hop: Hop, answer: WorkerAnswer, seconds: float = 0.0) -> Hop:
    """Return the planned `hop` with its outcome."""
    done: Hop = {**hop, "status": answer.status, "answer": answer.text, "evidence": answer.evidence}
    done["calls"], done["failure"] = list(answer.calls), answer.failure
    if answer.status != "answered" and answer.failure is None:
        done["failure"] = failure("declined" if answer.status == "declined" else "unreachable")
    done["tokens"], done["seconds"] = sum(usage_of(answer.evidence)), hop["seconds"] + seconds
    return done


def probability(hops: Sequence[Hop]) -> float:
    """Return the probability of a path: the product over its hops."""
    return math.prod(hop["probability"] for hop in hops)


def _faithful(said: str, question: str, decision: Decision) -> tuple[str, Rewrite, str]:
    """Return the rewritten query, what became of the user's words, and the reason; never a lossy rewrite."""
    if decision.node is None or decision.rewritten == said:
        return decision.rewritten, "same", decision.reason
    missing = lost(question, decision.rewritten)
    if not missing:
        return decision.rewritten, "changed", decision.reason
    shown = ", ".join(map(repr, missing[:3]))
    return question, "bypassed", f"{decision.reason} Its rewrite lost {shown}, so the original was sent."


def _answers(path: Sequence[Step], rewritten: str) -> str:
    """Return what the workers before said, flagged, for the next one; not what the rewrite has already."""
    return "".join(f"\n\n{text}" for text in carried_answers(path) if text not in rewritten)
