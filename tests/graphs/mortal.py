"""A process that walks a graph over four hops, or two branches, and may be killed at one of them.

    python -m tests.graphs.mortal threads.sqlite calls.txt "question" NODE

The worker NODE kills the process at its first call; `calls.txt` gets a line for every call. A thread
that has begun is resumed. Prints the nodes of the hops.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from agents.types import Decision, NodeName, Step, WorkerAnswer, WorkerRequest
from graphs.build import build_graph
from graphs.spec_file import parse_spec
from tests.scripted import END_OF_WALK, route_to

NAMES = ("a", "b", "c", "d")
SPEC = parse_spec(
    "masters: {m: {neighbours: [a, b, c, d]}}\n"
    "workers: {a: {description: x, neighbours: [b]}, b: {description: x, neighbours: [c]},\n"
    "  c: {description: x, neighbours: [d]}, d: {description: x}}\n"
)


class Named:
    """Routes to the node that the question names; along the chain to the next one."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def route(self, conversation: Sequence[BaseMessage], path: Sequence[Step] = ()) -> Decision:
        if not path:
            node = str(conversation[-1].text).rstrip("?").split()[-1]
            return route_to(node, f"<nexa_{NAMES.index(node)}>")
        if "chain" not in str(conversation[-1].text):
            return END_OF_WALK
        return route_to(NAMES[NAMES.index(self.name) + 1], "<nexa_0>")


class Mortal:
    """Writes down that it is called; dies if it is its turn."""

    def __init__(self, name: str, calls: Path, victim: str) -> None:
        self.name, self.calls, self.victim = name, calls, victim

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        before = self.calls.read_text().split() if self.calls.exists() else []
        with self.calls.open("a") as file:
            file.write(f"{self.name}\n")
        if self.name == self.victim and self.name not in before:
            await asyncio.sleep(0.3)  # what runs beside it may finish
            os.kill(os.getpid(), signal.SIGKILL)
        return WorkerAnswer("answered", f"{self.name} answered")


async def main(database: str, calls: str, question: str, victim: str) -> None:
    """Begin the thread, or resume it."""
    workers = {NodeName(name): Mortal(name, Path(calls), victim) for name in NAMES}
    octopuses = {NodeName(name): Named(name) for name in ("m", "a", "b", "c")}
    graph = build_graph(SPEC, octopuses=octopuses, workers=workers)
    async with AsyncSqliteSaver.from_conn_string(database) as saver:
        compiled = graph.compile(checkpointer=saver)
        config: Any = {"configurable": {"thread_id": "t"}}
        begun = (await compiled.aget_state(config)).next
        given: Any = None if begun else {"messages": [HumanMessage(question)]}
        result = await compiled.ainvoke(given, config, durability="sync")
    print(*(hop["node"] for hop in result["hops"]))
    print(result["messages"][-1].text.replace("\n", " "))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
