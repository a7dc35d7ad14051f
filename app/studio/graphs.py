"""Make the graphs and the checkpointer that `langgraph.json` names; the LangGraph server joins them.

With a spec beside it, a project of one's own writes `graph = from_spec(Path(__file__).with_name("my.yaml"))`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from agents.types import NodeName
from app.settings import Settings
from graphs.assembly import Assembly, assemble, find_spec

Compiled = CompiledStateGraph[Any, Any, Any, Any]
Factory = Callable[[RunnableConfig], Awaitable[Compiled]]


def from_spec(graph: str | Path) -> Factory:
    """Return a factory of the graph with this name or path, for `graphs` of a `langgraph.json`.

    `{"configurable": {"worker": NAME}}` in a run's config asks that worker, whatever the Octopus would
    choose: what would it have said, in a fork of the thread?
    """

    async def factory(config: RunnableConfig) -> Compiled:
        """Return the graph, built once for all runs."""
        worker = (config.get("configurable") or {}).get("worker")
        return await asyncio.to_thread(_compiled, str(graph), str(worker) if worker else None)

    return factory


async def mmlu(config: RunnableConfig) -> Compiled:
    """Return the shipped graph."""
    return await from_spec("mmlu")(config)


@asynccontextmanager
async def checkpointer() -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """Open the saver that the environment asks for: `checkpointer.path` of a `langgraph.json`."""
    async with Settings.read().threads.open() as saver:
        yield saver


@cache
def _assembled(graph: str) -> Assembly:
    # The server calls its factories again and again; the encoder and the tools' process are opened once.
    return assemble(find_spec(graph), Settings.read())


@cache
def _compiled(graph: str, worker: str | None) -> Compiled:
    assembly = _assembled(graph)
    built = assembly.graph_to(NodeName(worker)) if worker else assembly.graph()
    return built.compile(name=assembly.spec.name)
