"""The conditional edge: it follows the functional token that the node decided on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from langgraph.types import Send

from agents.errors import RoutingError
from agents.octopus.tokens import END_TOKEN
from agents.types import FunctionalToken, Hop, NodeName
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
            return [sent(one, state) for one in decision["fan"]]
        if decision["token"] == END_TOKEN or is_alone(decision["branch"]):
            return decision["token"]
        return [sent(decision, state)]

    def sent(decision: Decision, state: GraphState) -> Send:
        token = decision["token"]
        if token not in nodes:
            raise RoutingError(f"the Octopus of {name!r} gave {token!r}, which is not an edge away.")
        return send(nodes[token], decision, state, hops_of(state, decision["branch"]))

    return next_token


def send(node: str, decision: Decision, state: GraphState, hops: Sequence[Hop]) -> Send:
    """One branch at `node`, with what it needs of the state."""
    sent = {"messages": state["messages"], "turn": state["turn"], "hops": list(hops), "decision": decision}
    return Send(node, sent)
