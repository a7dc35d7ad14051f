"""Follow the functional token that a node decided on: the conditional edge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from langgraph.types import Send

from agents.errors import RoutingError
from agents.octopus.tokens import END_TOKEN
from agents.types import FunctionalToken, Hop, NodeName
from graphs.state import GraphState
from graphs.traversal import hops_of, is_alone

Next = str | list[Send]


def follow(name: NodeName, neighbours: Mapping[NodeName, FunctionalToken]) -> Callable[[GraphState], Next]:
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


def send(node: str, planned: Hop, state: GraphState, hops: Sequence[Hop]) -> Send:
    """Send one branch to `node`, with what it needs of the state."""
    sent = {"messages": state["messages"], "turn": state["turn"], "hops": list(hops), "planned": [planned]}
    return Send(node, sent)
