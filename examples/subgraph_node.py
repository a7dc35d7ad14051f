"""The graph as a node of your own graph; it answers, and your node goes on with its hops.

python -m examples.subgraph_node "What is the derivative of x^4?"
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.types import Hop
from app.settings import Settings
from examples.command_line import arguments
from graphs.assembly.graph import Wiring, find_spec
from graphs.state import add_hops


class State(MessagesState):
    """Messages and hops are what the two graphs share."""

    hops: Annotated[list[Hop], add_hops]


def build(wiring: Wiring) -> CompiledStateGraph[Any, Any, Any, Any]:
    """START → octopus (a graph of its own) → cite → END."""
    graph = StateGraph(State)
    graph.add_node("octopus", wiring.graph().compile())
    graph.add_node("cite", cite)
    graph.add_edge(START, "octopus")
    graph.add_edge("octopus", "cite")
    graph.add_edge("cite", END)
    return graph.compile()


async def cite(state: State) -> dict[str, Any]:
    """Say who answered, and how sure the Octopus was of it."""
    said = ", ".join(f"{hop['node']} ({hop['probability']:.2f})" for hop in state["hops"])
    return {"messages": [AIMessage(f"Answered by {said}.")]}


async def main(question: str, graph: str = "mmlu") -> list[str]:
    """What was said, the question first."""
    wiring = Wiring(find_spec(graph), Settings.read())
    try:
        done = await build(wiring).ainvoke({"messages": [HumanMessage(question)]})
    finally:
        wiring.close()
    return [str(message.text) for message in done["messages"]]


if __name__ == "__main__":
    print("\n".join(asyncio.run(main(arguments("subgraph_node QUESTION", 1)[0]))))
