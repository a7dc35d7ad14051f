"""A compiled graph ready to run, with its checkpointer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.base import BaseStore

from agents.octopus.encoder import clean_query
from app.settings import Settings
from app.wiring import Wiring, find_spec
from graphs.state import GraphContext

RECURSION_LIMIT = 250  # LangGraph's own default would let a fault in an edge run for hours


@dataclass
class RunningGraph:
    """A compiled graph; `thread` is None for a question that is not remembered."""

    compiled: CompiledStateGraph[Any, Any, Any, Any]
    context: GraphContext | None = None

    async def invoke(self, question: str, thread: str | None) -> dict[str, Any]:
        """The messages and hops of one turn.

        Raises:
            InputError: the question is empty or not text.
        """
        return dict(await self.compiled.ainvoke(_messages(question), **self._arguments(thread)))

    async def stream(self, question: str, thread: str | None) -> AsyncIterator[tuple[str, Any]]:
        """("updates", {node: update}) and ("messages", (chunk, metadata)) as they happen."""
        run = self.compiled.astream(
            _messages(question), **self._arguments(thread), stream_mode=["updates", "messages"]
        )
        async for mode, event in run:
            yield str(mode), event

    async def messages(self, thread: str) -> list[BaseMessage]:
        """What was said in a thread so far."""
        state = await self.compiled.aget_state({"configurable": {"thread_id": thread}})
        return list(state.values.get("messages", []))

    def _arguments(self, thread: str | None) -> dict[str, Any]:
        config: dict[str, Any] = {"recursion_limit": RECURSION_LIMIT}
        if thread is None:
            return {"config": config, "context": self.context}
        # Every hop is on disk before the next begins, so that a killed process resumes at its hop.
        threaded = config | {"configurable": {"thread_id": thread}}
        return {"config": threaded, "context": self.context, "durability": "sync"}


@asynccontextmanager
async def open_graph(
    graph: str, settings: Settings, *, remember: bool, context: GraphContext | None = None
) -> AsyncIterator[RunningGraph]:
    """The graph called `graph`, with threads and lessons kept in SQLite if it is to `remember`.

    Raises:
        SpecError: there is no such graph, or its spec is wrong.
    """
    wiring = Wiring(find_spec(graph), settings)
    async with AsyncExitStack() as stack:
        stack.callback(wiring.close)
        saver = await stack.enter_async_context(sqlite_saver(settings)) if remember else None
        store = await stack.enter_async_context(sqlite_store(settings)) if remember else None
        graph_of_models = wiring.graph()
        wiring.warm_up()
        compiled = graph_of_models.compile(checkpointer=saver, store=store, name=wiring.spec.name)
        yield RunningGraph(compiled, context)


@asynccontextmanager
async def sqlite_saver(settings: Settings) -> AsyncIterator[BaseCheckpointSaver[str]]:
    """Threads in `threads.sqlite` of the data directory."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    async with AsyncSqliteSaver.from_conn_string(str(settings.data_dir / "threads.sqlite")) as saver:
        yield saver


@asynccontextmanager
async def sqlite_store(settings: Settings) -> AsyncIterator[BaseStore]:
    """What reflection learnt, in `lessons.sqlite` of the data directory."""
    from langgraph.store.sqlite.aio import AsyncSqliteStore

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    async with AsyncSqliteStore.from_conn_string(str(settings.data_dir / "lessons.sqlite")) as store:
        await store.setup()
        yield store


def _messages(question: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(clean_query(question))]}
