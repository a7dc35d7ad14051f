"""A compiled graph ready to run, with its checkpointer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.base import BaseStore

from agents.errors import InputError
from agents.octopus.encoder import clean_query
from app.settings import Settings
from app.wiring import Wiring, find_spec

T = TypeVar("T")
RECURSION_LIMIT = 250  # LangGraph's own default would let a fault in an edge run for hours


@dataclass
class RunningGraph:
    """A compiled graph; `thread` is None for a question that is not remembered."""

    compiled: CompiledStateGraph[Any, Any, Any, Any]

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
            return {"config": config}
        # Every hop is on disk before the next begins, so that a killed process resumes at its hop.
        return {"config": config | {"configurable": {"thread_id": thread}}, "durability": "sync"}


@asynccontextmanager
async def open_graph(graph: str, settings: Settings, *, remember: bool) -> AsyncIterator[RunningGraph]:
    """The graph called `graph`, with its threads where the settings keep them if it is to `remember`.

    Raises:
        SpecError: there is no such graph, or its spec is wrong.
        InputError: the settings of the place of threads are wrong.
    """
    wiring = Wiring(find_spec(graph), settings)
    async with AsyncExitStack() as stack:
        stack.callback(wiring.close)
        saver = await stack.enter_async_context(open_saver(settings)) if remember else None
        graph_of_models = wiring.graph()
        wiring.warm_up()
        yield RunningGraph(graph_of_models.compile(checkpointer=saver, name=wiring.spec.name))


def open_saver(settings: Settings) -> AbstractAsyncContextManager[BaseCheckpointSaver[Any]]:
    """The saver of threads.

    Raises:
        InputError: the url, or another setting of it, is wrong.
    """
    return _opened(settings.threads.open())


def open_store(settings: Settings) -> AbstractAsyncContextManager[BaseStore]:
    """The long-term store, in the same place as the threads.

    Raises:
        InputError: the url, or another setting of it, is wrong.
    """
    return _opened(settings.threads.open_store())


@asynccontextmanager
async def _opened(opening: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    async with AsyncExitStack() as stack:
        try:
            found = await stack.enter_async_context(opening)
        except ValueError as error:
            raise InputError(str(error), hint="Look at REDIS_URL and OCTOPUS_ENCRYPTION_KEY.") from error
        yield found


def _messages(question: str) -> dict[str, Any]:
    return {"messages": [HumanMessage(clean_query(question))]}
