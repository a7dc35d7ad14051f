"""Give the served graph to an agent as a tool, over MCP (`octopus serve`, extra `mcp`).

    OCTOPUS_MODEL=openai:llama3.2@http://localhost:11434/v1 \\
        python -m examples.mcp_tool http://127.0.0.1:8000 "How steep is x^3 at 2? Then explain it to a child."
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from agents.workers.kinds import parse_reference
from examples import arguments, headers


async def main(url: str, question: str, model: BaseChatModel) -> list[Any]:
    """Return all messages: the question, the agent's calls, what the graph said, the answer."""
    servers: Any = {"octopus": {"transport": "streamable_http", "url": f"{url}/mcp", "headers": headers()}}
    tools = await MultiServerMCPClient(servers).get_tools()
    agent = create_agent(model, tools, system_prompt="Ask your tool whatever has to be computed or known.")
    done = await agent.ainvoke({"messages": [HumanMessage(question)]})
    return list(done["messages"])


def chat_model(reference: str) -> BaseChatModel:
    """Return `openai:NAME@URL` as LangChain's chat model."""
    found = parse_reference(reference)
    return ChatOpenAI(model=found.name, base_url=found.url, api_key=SecretStr("none"))


if __name__ == "__main__":
    url, question = arguments("mcp_tool URL QUESTION", 2, "`octopus serve`")[:2]
    if "OCTOPUS_MODEL" not in os.environ:
        sys.exit(
            "OCTOPUS_MODEL is not set: the agent's own model, e.g. openai:llama3.2@http://localhost:11434/v1"
        )
    for message in asyncio.run(main(url, question, chat_model(os.environ["OCTOPUS_MODEL"]))):
        print(f"{message.type}: {message.text}")
