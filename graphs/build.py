"""Build the LangGraph graph of a spec: a node per worker and master, functional tokens on the edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langgraph.graph import END, START, StateGraph

from agents.errors import SpecError
from agents.judge import Judge
from agents.ledger import Ledger, Profile
from agents.octopus.tokens import END_TOKEN
from agents.reflection.types import Verifier
from agents.types import NodeName, Octopus, Worker
from graphs.edges import follow
from graphs.nodes import answer_node, guard_node, master_node, worker_node
from graphs.spec import GraphSpec, WorkerSpec
from graphs.state import GraphContext, GraphInput, GraphOutput, GraphState
from graphs.traversal import RoutingNode

Graph = StateGraph[GraphState, GraphContext, GraphInput, GraphOutput]


def build_graph(
    spec: GraphSpec,
    *,
    octopuses: Mapping[NodeName, Octopus],
    workers: Mapping[NodeName, Worker],
    judge: Judge | None = None,
    verifiers: Mapping[NodeName, Verifier] | None = None,
) -> Graph:
    """Return the uncompiled graph of `spec`; compile it, or add its compiled form to another graph as a node.

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
    graph.add_node("guard", guard_node)
    # Deferred: it waits for all branches.
    graph.add_node("answer", answer_node(judge), defer=True)
    ledger = Ledger({name: _profile(worker) for name, worker in spec.workers.items()})
    links = frozenset((one, other) for one, _, other in spec.edges if one in spec.workers)
    routing = {
        name: RoutingNode(name, octopuses[name], spec.edges_at(name), ledger, links)
        for name, node in spec.nodes.items()
        if node.neighbours
    }
    for name in spec.masters:
        graph.add_node(name, master_node(routing[name]))
    for name, worker in spec.workers.items():
        verifier = (verifiers or {}).get(name)
        graph.add_node(name, worker_node(name, worker, workers[name], routing, verifier))
    graph.add_edge(START, "guard")
    graph.add_edge("guard", spec.entry)
    for name, node in spec.nodes.items():
        if node.neighbours:
            graph.add_conditional_edges(name, follow(name, node.neighbours), _path_map(node.neighbours))
        else:
            graph.add_edge(name, "answer")
    graph.add_edge("answer", END)
    return graph


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
