"""One turn of a conversation: run, watched, stopped at its deadline or when nobody listens any more."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from app.persistence.threads.checkpoints import config_of
from app.runs.events import Answered, Event, Watch
from app.runs.resume import Beginning, Resume, beginning
from app.runs.runner import RECURSION_LIMIT
from app.runs.traces import TraceLog
from app.server.api_keys import LOCAL, Caller
from app.server.errors import ApiError
from app.server.models import Compiled, Model
from app.server.telemetry import Telemetry, TurnTelemetry
from graphs.state import GraphContext


@dataclass(frozen=True)
class Turn:
    """What is to be done.

    Attributes:
        model: the graph.
        messages: the conversation; of a thread that has one already, only the last is new.
        context: budgets, policy, reflection, and whether a person is asked.
        caller: who asks; the thread and what the run learns are the caller's.
        thread: the caller's name of it; None remembers nothing.
        checkpoint: of the thread, to go on from there instead of from its end.
        resume: the answer to what the thread's last turn asked; None takes the message.
        pieces: whether the answer is `Written` while it comes; not doing so is cheaper.
        id: of this run; the checkpoints carry it.
    """

    model: Model
    messages: Sequence[BaseMessage]
    context: GraphContext = field(default_factory=GraphContext)
    caller: Caller = LOCAL
    thread: str | None = None
    checkpoint: str | None = None
    resume: Resume = None
    pieces: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def compiled(self) -> Compiled:
        """The graph, with the caller's threads and lessons if there is a thread."""
        return self.model.compiled(self.caller if self.thread is not None else None)

    def config(self, context: GraphContext) -> RunnableConfig:
        """What LangGraph is told; the metadata is kept with every checkpoint."""
        kept = {
            "model": self.model.id,
            "run": self.id,
            "context": context.model_dump_json(exclude_unset=True),
        }
        config = RunnableConfig(recursion_limit=RECURSION_LIMIT, metadata=kept)
        if self.thread is not None:
            config |= config_of(self.caller.stored(self.thread), checkpoint_id=self.checkpoint)
        return config


@dataclass
class Turns:
    """Runs turns.

    Attributes:
        telemetry: is told of every decision and hop.
        timeout: seconds for a turn.
        busy: threads, as they are stored, that a turn of this server is working on.
    """

    telemetry: Telemetry
    timeout: float
    traces: TraceLog | None = None
    busy: set[str] = field(default_factory=set)

    async def run(self, turn: Turn) -> AsyncGenerator[Event]:
        """What happens, as it happens; closing the iterator stops the run.

        A thread whose last turn was cut short goes on at the hop where it was if the same question is sent,
        and one that waits for a person if the answer is.

        Raises:
            ApiError: 409, the thread is busy; 400, see `beginning`.
            TimeoutError: the turn took too long.
        """
        stored = turn.caller.stored(turn.thread) if turn.thread is not None else ""
        if stored in self.busy:
            raise ApiError(409, "This thread is still working on another request.", code="thread_busy")
        if stored:
            self.busy.add(stored)
        try:
            with self.telemetry.turn(turn.model.graph) as telemetry:
                async with aclosing(self._watch(turn, telemetry)) as events:
                    async for event in events:
                        if self.traces and isinstance(event, Answered) and not event.asked:
                            said = str(turn.messages[-1].text)
                            await asyncio.to_thread(self.traces.record, turn.model.graph, said, event.hops)
                        yield event
        finally:
            self.busy.discard(stored)

    async def answer(self, turn: Turn) -> Answered:
        """The end of the turn alone."""
        async with aclosing(self.run(turn)) as events:
            return [event async for event in events if isinstance(event, Answered)][-1]

    async def _watch(self, turn: Turn, telemetry: TurnTelemetry) -> AsyncGenerator[Event]:
        deadline = asyncio.get_running_loop().time() + self.timeout
        async with asyncio.timeout_at(deadline):
            begun = await beginning(turn)
        watch = Watch(turn.model, telemetry, begun)
        async with aclosing(_stream(turn, begun)) as events:  # type: ignore[type-var]
            while True:
                # Not around the loop: the time-out must not strike in the code that we yield to.
                try:
                    async with asyncio.timeout_at(deadline):
                        mode, event = await anext(events)
                except StopAsyncIteration:
                    break
                for told in watch.piece(*event) if mode == "messages" else watch.update(event):
                    yield told
        for told in watch.end():
            yield told


def _stream(turn: Turn, begun: Beginning) -> AsyncIterator[tuple[str, Any]]:
    run = turn.compiled.astream(
        begun.given,
        turn.config(begun.context),
        context=begun.context,
        stream_mode=["updates", "messages"] if turn.pieces else ["updates"],
        durability="sync" if turn.thread is not None else None,
    )
    return cast("AsyncIterator[tuple[str, Any]]", run)
