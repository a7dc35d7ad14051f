"""Use a graph that runs in a LangGraph server (`make dev`) as a node of your own.

python -m examples.remote_graph_node http://127.0.0.1:2024 "What is the derivative of x^4?"
"""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from examples import arguments, headers


def build(client: LangGraphClient) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Return START → octopus (elsewhere) → END.

    A function calls RemoteGraph, which by itself does not pass on the context of the graph around it.
    """
    remote = RemoteGraph("mmlu", client=client)

    async def octopus(state: MessagesState) -> dict[str, Any]:
        """Ask with a budget."""
        question = {"messages": [{"role": "user", "content": str(state["messages"][-1].text)}]}
        done: Any = await remote.ainvoke(question, context={"max_hops": 4})
        return {"messages": done["messages"][-1:]}

    graph = StateGraph(MessagesState).add_node("octopus", octopus)
    return graph.add_edge(START, "octopus").add_edge("octopus", END).compile()


async def main(url: str, question: str) -> str:
    """Return the answer."""
    async with get_client(url=url, headers=headers()) as client:
        done = await build(client).ainvoke({"messages": [HumanMessage(question)]})
    return str(done["messages"][-1].text)


if __name__ == "__main__":
    print(asyncio.run(main(*arguments("remote_graph_node URL QUESTION", 2, "`make dev`")[:2])))
