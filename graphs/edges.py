"""The conditional edge: it follows the functional token that the node decided on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from langgraph.types import Send

from agents.errors import RoutingError
from agents.octopus.tokens import END_TOKEN
from agents.types import FunctionalToken, NodeName
from graphs.state import Decision, GraphState
from graphs.traversal import hops_of, is_alone

Next = str | list[Send]


def follow(name: NodeName, neighbours: Mapping[NodeName, FunctionalToken]) -> Callable[[GraphState], Next]:
    """The conditional edge at node `name`."""
    nodes: dict[str, NodeName] = {token: node for node, token in neighbours.items()}

    def next_token(state: GraphState) -> Next:
        """The functional token to follow; in parallel branches a Send to where it leads.

        LangGraph raises on a token that is not in the node's `path_map`.
        """
        decision = state["decision"]
        if decision["fan"]:
            return [send(one, state) for one in decision["fan"]]
        if decision["token"] == END_TOKEN or is_alone(decision["branch"]):
            return decision["token"]
        return [send(decision, state)]

    def send(decision: Decision, state: GraphState) -> Send:
        if decision["token"] not in nodes:
            token = decision["token"]
            raise RoutingError(f"the Octopus of {name!r} gave {token!r}, which is not an edge away.")
        own = hops_of(state, decision["branch"])
        sent = {"messages": state["messages"], "turn": state["turn"], "hops": own, "decision": decision}
        return Send(nodes[decision["token"]], sent)

    return next_token
