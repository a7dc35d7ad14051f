"""A graph that runs elsewhere, in a LangGraph server (`make dev`), as a node of your own.

python -m examples.remote_graph_node http://127.0.0.1:2024 "What is the derivative of x^4?"
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from examples.command_line import arguments


def build(client: LangGraphClient) -> CompiledStateGraph[Any, Any, Any, Any]:
    """START → octopus (elsewhere) → END.

    In a node of its own, for RemoteGraph does not pass the context of the graph around it on.
    """
    remote = RemoteGraph("mmlu", client=client)

    async def octopus(state: MessagesState) -> dict[str, Any]:
        """Ask, with a budget."""
        question = {"messages": [{"role": "user", "content": str(state["messages"][-1].text)}]}
        done: Any = await remote.ainvoke(question, context={"max_hops": 4})
        return {"messages": done["messages"][-1:]}

    graph = StateGraph(MessagesState)
    graph.add_node("octopus", octopus)
    graph.add_edge(START, "octopus")
    graph.add_edge("octopus", END)
    return graph.compile()


async def main(url: str, question: str) -> str:
    """The answer."""
    key = os.environ.get("OCTOPUS_API_KEY")
    headers = {"Authorization": f"Bearer {key}"} if key else None
    async with get_client(url=url, headers=headers) as client:
        done = await build(client).ainvoke({"messages": [HumanMessage(question)]})
    return str(done["messages"][-1].text)


if __name__ == "__main__":
    print(asyncio.run(main(*arguments("remote_graph_node URL QUESTION", 2, "`make dev`")[:2])))
