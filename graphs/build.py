"""Build a LangGraph `StateGraph` of a spec: a node per worker and master, functional tokens on the edges.

A built graph can be a worker of another one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Send

from agents.errors import RoutingError, SpecError
from agents.ledger import Ledger, Profile
from agents.modalities import human
from agents.octopus.ability import Able
from agents.octopus.tokens import END_TOKEN
from agents.reflection.types import Verifier
from agents.reflection.worker import Judge
from agents.types import FunctionalToken, Hop, NodeName, Octopus, Worker, WorkerAnswer, WorkerRequest
from graphs.blocking import AsyncNode, Work
from graphs.branches import outcomes, send
from graphs.node_spec import WorkerSpec
from graphs.nodes import answer_node, guard_node, master_node, worker_node
from graphs.spec import GraphSpec
from graphs.state import GraphContext, GraphInput, GraphOutput, GraphState
from graphs.traversal import RoutingNode, hops_of, is_alone

Graph = StateGraph[GraphState, GraphContext, GraphInput, GraphOutput]
Next = str | list[Send]


def build_graph(
    spec: GraphSpec,
    *,
    octopuses: Mapping[NodeName, Octopus],
    workers: Mapping[NodeName, Worker],
    judge: Judge | None = None,
    verifiers: Mapping[NodeName, Verifier] | None = None,
) -> Graph:
    """Return the uncompiled graph of `spec`; compile it, or add its compiled form to another graph.

    The conditional edge at a node leads along functional tokens: the keys of its `path_map` are the tokens
    of its neighbours and `<nexa_end>`, which leads to the answer. So nothing but a neighbour can be reached,
    and the drawn graph carries the tokens.

    Args:
        spec: a validated spec.
        octopuses: what routes, for each master and each worker that has neighbours.
        workers: what answers, for each worker.
        judge: what decides between experts where the context wants one; without it, they vote.
        verifiers: what checks drafts by a tool or a schema, for workers that have one.

    Raises:
        SpecError: an octopus or worker is missing.
    """
    _check(spec, octopuses, workers)
    graph: Graph = StateGraph(GraphState, GraphContext, input_schema=GraphInput, output_schema=GraphOutput)
    ledger = Ledger({name: _profile(worker) for name, worker in spec.workers.items()})
    links = frozenset((one, other) for one, _, other in spec.edges if one in spec.workers)
    routing = {
        name: RoutingNode(
            name,
            octopuses[name],
            spec.edges_at(name),
            ledger,
            links,
            _ways(spec, name),
            {one: spec.workers[one].model or "" for one in node.neighbours if _speaks(workers.get(one))},
            node.generalist,
        )
        for name, node in spec.nodes.items()
        if node.neighbours
    }
    checks = verifiers or {}
    nodes: dict[str, tuple[Work, ...]] = {"guard": (guard_node,), "answer": (answer_node(judge),)}
    nodes |= {name: (master_node(routing[name]),) for name in spec.masters}
    nodes |= {
        name: worker_node(name, worker, workers[name], routing, checks.get(name))
        for name, worker in spec.workers.items()
    }
    for name, works in nodes.items():
        # The answer is deferred: it waits for all branches.
        graph.add_node(name, AsyncNode(name, *works), defer=name == "answer")
    graph.add_edge(START, "guard")
    graph.add_edge("guard", spec.entry)
    for name, node in spec.nodes.items():
        if node.neighbours:
            graph.add_conditional_edges(name, _follow(name, node.neighbours), _path_map(node.neighbours))
        else:
            graph.add_edge(name, "answer")
    graph.add_edge("answer", END)
    return graph


@dataclass
class SubgraphWorker:
    """Run a compiled graph inside its node, so that its hops are checkpoints of the same thread.

    Attributes:
        graph: compiled without a checkpointer; it takes the one of the graph around it.
        context: run-time settings inside; None takes the defaults.
        able: what its workers can do; None if nobody says.
    """

    graph: CompiledStateGraph[Any, Any, Any, Any]
    context: GraphContext | None = None
    able: Able | None = None

    @property
    def speaks(self) -> bool:
        """Return whether one of its workers can answer in words."""
        return self.able is None or self.able.speaks

    def reads(self, question: str) -> str:
        """Return the tool inside that reads the whole question; "" if none does."""
        return self.able.reads(question) if self.able else ""

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        """Answer with its hops as evidence; the status is `answered` if every part of the query was."""
        messages = [*request.conversation, human(request.query, request.attachments), *request.since]
        context = self.context or GraphContext(generation=request.generation)
        values = await self.graph.ainvoke({"messages": messages}, context=context)
        found = outcomes(values["hops"])
        status = next((hop["status"] for hop in found if hop["status"] != "answered"), "answered")
        tokens = sum(hop["tokens"] for hop in values["hops"])
        evidence = {"hops": values["hops"], "usage": {"total_tokens": tokens}}
        last = values["messages"][-1]
        why = next((hop["failure"] for hop in found if hop["status"] == status), None)
        return WorkerAnswer(status, str(last.text), evidence, last.tool_calls, why)  # type: ignore[arg-type]


def _follow(name: NodeName, neighbours: Mapping[NodeName, FunctionalToken]) -> Callable[[GraphState], Next]:
    """Return the conditional edge at node `name`."""
    nodes: dict[str, NodeName] = {token: node for node, token in neighbours.items()}

    def next_token(state: GraphState) -> Next:
        """Return the functional token to follow; in parallel branches a Send to where it leads.

        LangGraph raises on a token that is not in the node's `path_map`.
        """
        planned = state["planned"]
        if len(planned) == 1 and (planned[0]["token"] == END_TOKEN or is_alone(planned[0]["branch"])):
            return planned[0]["token"]
        return [sent(hop, state) for hop in planned]

    def sent(hop: Hop, state: GraphState) -> Send:
        if hop["token"] not in nodes:
            raise RoutingError(f"the Octopus of {name!r} gave {hop['token']!r}, which is not an edge away.")
        return send(nodes[hop["token"]], hop, state, hops_of(state, hop["branch"]))

    return next_token


def _ways(spec: GraphSpec, start: NodeName) -> dict[NodeName, NodeName]:
    """Return the neighbour of `start` that leads to each node that can be reached by way of masters."""
    nodes, ways = spec.nodes, {node: node for node in spec.nodes[start].neighbours}
    queue = deque(ways)
    while queue:
        at = queue.popleft()
        for node in nodes[at].neighbours if at in spec.masters else ():
            if node not in ways and node != start:
                ways[node] = ways[at]
                queue.append(node)
    return ways


def _speaks(worker: Worker | None) -> bool:
    return worker is not None and (not isinstance(worker, Able) or worker.speaks)


def _profile(worker: WorkerSpec) -> Profile:
    price = (worker.price.input, worker.price.output) if worker.price else None
    return Profile(price, worker.size, worker.latency, worker.capacity)


def _path_map(neighbours: Mapping[Any, Any]) -> dict[Any, str]:
    return {token: name for name, token in neighbours.items()} | {END_TOKEN: "answer"}


def _check(
    spec: GraphSpec, octopuses: Mapping[NodeName, Octopus], workers: Mapping[NodeName, Worker]
) -> None:
    for name, node in spec.nodes.items():
        if node.neighbours and name not in octopuses:
            raise SpecError(f"{spec.source}: node {name!r} has neighbours but no Octopus to choose one.")
    for name in spec.workers:
        if name not in workers:
            raise SpecError(f"{spec.source}: no worker was given for node {name!r}.")
