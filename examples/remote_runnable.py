"""Use the served graph as a runnable in a chain, over LangServe (`octopus serve`, extra `langserve`).

python -m examples.remote_runnable http://127.0.0.1:8000 "x^4"
"""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable
from langserve import RemoteRunnable

from examples import arguments, headers


def chain(url: str) -> Runnable[dict[str, Any], str]:
    """Return a prompt, the graph, and its text."""
    octopus: Runnable[Any, Any] = RemoteRunnable(f"{url}/octopus/", headers=headers())
    prompt = ChatPromptTemplate.from_messages([("human", "What is the derivative of {function}?")])
    return prompt | {"messages": lambda given: given.to_messages()} | octopus | StrOutputParser()


async def main(url: str, function: str) -> str:
    """Return the answer, printed as it comes."""
    answer = ""
    async for piece in chain(url).astream({"function": function}):
        print(piece, end="", flush=True)
        answer += piece
    print()
    return answer


if __name__ == "__main__":
    asyncio.run(main(*arguments("remote_runnable URL FUNCTION", 2, "`octopus serve`")[:2]))
