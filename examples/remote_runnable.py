"""The served graph as a runnable in a chain, over LangServe (`octopus serve`, extra `langserve`).

python -m examples.remote_runnable http://127.0.0.1:8000 "x^4"
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable
from langserve import RemoteRunnable

from examples.command_line import arguments


def chain(url: str, key: str | None = None) -> Runnable[dict[str, Any], str]:
    """A prompt, the graph, and its text."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    octopus: Runnable[Any, Any] = RemoteRunnable(f"{url}/octopus/", headers=headers)
    prompt = ChatPromptTemplate.from_messages([("human", "What is the derivative of {function}?")])
    return prompt | {"messages": lambda given: given.to_messages()} | octopus | StrOutputParser()


async def main(url: str, function: str) -> str:
    """The answer, printed as it comes."""
    answer = ""
    async for piece in chain(url, os.environ.get("OCTOPUS_API_KEY")).astream({"function": function}):
        print(piece, end="", flush=True)
        answer += piece
    print()
    return answer


if __name__ == "__main__":
    asyncio.run(main(*arguments("remote_runnable URL FUNCTION", 2, "`octopus serve`")[:2]))
