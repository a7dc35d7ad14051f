"""Use the graph as a node of your own graph: it answers, and your next node reads its hops.

python -m examples.subgraph_node "What is the derivative of x^4?"
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.types import Hop
from app import Octopus
from examples import arguments
from graphs.state import add_hops


class State(MessagesState):
    """Hold what the two graphs share."""

    hops: Annotated[list[Hop], add_hops]


def build(octopus: Octopus) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Return START → octopus (a graph of its own) → cite → END."""
    graph = StateGraph(State).add_node("octopus", octopus.graph.compile()).add_node("cite", cite)
    return graph.add_edge(START, "octopus").add_edge("octopus", "cite").add_edge("cite", END).compile()


async def cite(state: State) -> dict[str, Any]:
    """Say who answered, and how sure the Octopus was of it."""
    said = ", ".join(f"{hop['node']} ({hop['probability']:.2f})" for hop in state["hops"])
    return {"messages": [AIMessage(f"Answered by {said}.")]}


async def main(question: str, graph: str = "mmlu") -> list[str]:
    """Return what was said, the question first."""
    async with Octopus.load(graph) as octopus:
        done = await build(octopus).ainvoke({"messages": [HumanMessage(question)]})
    return [str(message.text) for message in done["messages"]]


if __name__ == "__main__":
    print("\n".join(asyncio.run(main(arguments("subgraph_node QUESTION", 1)[0]))))
