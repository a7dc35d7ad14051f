"""A compiled graph ready to run, with its checkpointer."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.base import BaseStore
from langgraph.types import Command

from agents.errors import InputError
from agents.octopus.conversation.human_turns import clean_query
from agents.types import Hop
from app.persistence.threads.checkpoints import config_of, messages_of
from app.runs.traces import TraceLog
from app.settings import Settings
from graphs.assembly.graph import Wiring, find_spec
from graphs.state import GraphContext

Person = Callable[[dict[str, Any]], Awaitable[str]]
"""Answers an interrupt: its JSON value → what to resume with."""

T = TypeVar("T")
RECURSION_LIMIT = 250  # LangGraph's own default would let a fault in an edge run for hours


@dataclass
class RunningGraph:
    """A compiled graph; `thread` is None for a question that is not remembered.

    Attributes:
        context: run-time settings; None takes the defaults.
        person: answers interrupts; None leaves the run where it stopped.
        traces: where finished runs are logged; None logs none.
    """

    compiled: CompiledStateGraph[Any, Any, Any, Any]
    context: GraphContext | None = None
    person: Person | None = None
    traces: TraceLog | None = None

    async def invoke(self, question: str, thread: str | None) -> dict[str, Any]:
        """The messages and hops of one turn; the question of an interrupted turn is gone on with.

        Raises:
            InputError: the question is empty or not text.
        """
        arguments, given = self._arguments(thread), await self._input(question, thread)
        while True:
            values = dict(await self.compiled.ainvoke(given, **arguments))
            given = await self._answers(values.get("__interrupt__", ()))
            if given is None:
                self._log(question, values.get("hops", []))
                return values

    async def stream(self, question: str, thread: str | None) -> AsyncIterator[tuple[str, Any]]:
        """As `invoke`: ("updates", {node: update}) and ("messages", (chunk, metadata)) as they happen."""
        arguments, given = self._arguments(thread), await self._input(question, thread)
        hops: list[Hop] = []
        while True:
            interrupts: list[Any] = []
            run = self.compiled.astream(given, **arguments, stream_mode=["updates", "messages"])
            async for mode, event in run:
                if mode == "updates" and "__interrupt__" in event:
                    interrupts += event["__interrupt__"]
                else:
                    hops += _hops_in(event) if mode == "updates" else []
                    yield str(mode), event
            given = await self._answers(interrupts)
            if given is None:
                self._log(question, hops)
                return

    def _log(self, question: str, hops: Sequence[Hop]) -> None:
        if self.traces is not None:
            self.traces.record(self.compiled.get_name(), question, hops)

    async def _answers(self, interrupts: Any) -> Any:
        """What to resume with; None where nobody was asked, or nobody answers."""
        if not interrupts or self.person is None:
            return None
        return Command(resume={asked.id: await self.person(asked.value) for asked in interrupts})

    async def messages(self, thread: str) -> list[BaseMessage]:
        """What was said in a thread so far."""
        state = await self.compiled.aget_state({"configurable": {"thread_id": thread}})
        return list(state.values.get("messages", []))

    async def interrupted(self, thread: str) -> str | None:
        """The question of a turn that was not finished, because its process was killed or a server failed."""
        saver = self.compiled.checkpointer
        if not isinstance(saver, BaseCheckpointSaver):
            return None
        # As it was kept: a state would count a step as done whose checkpoint is missing.
        messages = await messages_of(saver, await saver.aget_tuple(config_of(thread)))
        return str(messages[-1].text) if messages and messages[-1].type == "human" else None

    async def _input(self, question: str, thread: str | None) -> dict[str, Any] | None:
        """None goes on where the run stopped, so that finished workers do not run again."""
        question = clean_query(question)
        if thread is not None and await self.interrupted(thread) == question:
            return None
        return {"messages": [HumanMessage(question)]}

    def _arguments(self, thread: str | None) -> dict[str, Any]:
        config: dict[str, Any] = {"recursion_limit": RECURSION_LIMIT}
        if thread is None and self.person is not None:
            thread = uuid.uuid4().hex  # what waits for a person is kept while it waits
        if thread is None:
            return {"config": config, "context": self.context}
        # Every hop is on disk before the next begins, so that a killed process resumes at its hop.
        return {
            "config": config | {"configurable": {"thread_id": thread}},
            "context": self.context,
            "durability": "sync",
        }


def _hops_in(updates: dict[str, Any]) -> list[Hop]:
    """What the nodes of an update executed; LangGraph reports a task's result too, which is none."""
    return [hop for update in updates.values() if isinstance(update, dict) for hop in update.get("hops", [])]


@asynccontextmanager
async def open_graph(
    graph: str,
    settings: Settings,
    *,
    remember: bool,
    context: GraphContext | None = None,
    person: Person | None = None,
    artifact: Path | None = None,
) -> AsyncIterator[RunningGraph]:
    """The graph called `graph`, with threads and lessons where the settings keep them if it is to `remember`.

    Without an `artifact`, its Octopus is the spec's or the shipped one.

    Raises:
        SpecError: there is no such graph, or its spec is wrong.
        InputError: the settings of the place of threads are wrong.
    """
    wiring = Wiring(find_spec(graph), settings, artifact=artifact)
    async with AsyncExitStack() as stack:
        stack.callback(wiring.close)
        saver = await stack.enter_async_context(open_saver(settings)) if remember else None
        store = await stack.enter_async_context(open_store(settings)) if remember else None
        graph_of_models = wiring.graph()
        wiring.warm_up()
        compiled = graph_of_models.compile(
            checkpointer=saver or (InMemorySaver() if person else None), store=store, name=wiring.spec.name
        )
        traces = TraceLog(settings.traces) if settings.traces else None
        yield RunningGraph(compiled, context, person, traces)


def open_saver(settings: Settings) -> AbstractAsyncContextManager[BaseCheckpointSaver[Any]]:
    """The saver of threads.

    Raises:
        InputError: the url, or another setting of it, is wrong.
    """
    return _opened(settings.threads.open())


def open_store(settings: Settings) -> AbstractAsyncContextManager[BaseStore]:
    """The long-term store, in the same place as the threads: what reflection learnt.

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
            raise InputError(
                str(error), hint="Look at REDIS_URL, OCTOPUS_THREAD_TTL and OCTOPUS_ENCRYPTION_KEY."
            ) from error
        yield found
