"""The conditional edge: it follows the functional token that the node decided on."""

from __future__ import annotations

from graphs.state import GraphState


def next_token(state: GraphState) -> str:
    """The functional token to follow. LangGraph raises on one that is not in the node's `path_map`."""
    return state["decision"]["token"]
