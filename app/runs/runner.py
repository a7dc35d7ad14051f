"""Execute runs, each in a task of its own; stop them at a deadline or when nobody listens any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from anyio import CancelScope

from agents.errors import OctopusGraphError
from app.runs.events import Answered, Event, Watch
from app.runs.run import Beginning, Run, begin, claimed
from app.runs.traces import TraceLog

Person = Callable[[dict[str, Any]], Awaitable[str]]
"""Answers what a run asks: the interrupt's JSON value → what to resume with."""

Observe = Callable[[str], AbstractContextManager[Callable[[Event], None]]]
"""Opens what is told every event of one run of the graph with this name."""

_PATIENCE = 10.0  # seconds for a stopped run to end


class StoppedError(OctopusGraphError, RuntimeError):
    """Signal that a run was stopped from outside; sent again, its question goes on where it was.

    Attributes:
        code: why, for programs.
    """

    exit_code = 3

    def __init__(self, code: Literal["shutting_down", "cancelled"], message: str) -> None:
        super().__init__(message, retryable=True)
        self.code = code


@dataclass
class _Turn:
    """Hold a run that is being executed.

    Attributes:
        told: its events, for whoever listens; None is the end.
        answered: its answer, once it was told.
        stopped: why it was stopped from outside.
        task: executes it.
    """

    told: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)
    answered: Answered | None = None
    stopped: StoppedError | None = None
    task: asyncio.Task[None] = field(init=False)

    def tell(self, event: Event) -> None:
        if isinstance(event, Answered):
            self.answered = event
        self.told.put_nowait(event)

    def stop(self, error: StoppedError | None = None) -> None:
        if self.answered is None:  # else it ends soon, with its last checkpoint
            self.stopped = error
            self.task.cancel()

    async def end(self) -> None:
        """Stop it, and wait until it has closed what it opened."""
        self.stop()
        # Shielded: the cancel scope of a client that left would cancel the wait again and again.
        with CancelScope(shield=True):
            await asyncio.wait([self.task], timeout=_PATIENCE)
        self.task.cancel()


_begun: ContextVar[list[_Turn] | None] = ContextVar("octopus_begun", default=None)


@asynccontextmanager
async def no_longer_than_this() -> AsyncIterator[None]:
    """Stop, at its end, every run that was begun inside.

    A response that is cancelled does not close the iterators that it was made of.
    """
    turns: list[_Turn] = []
    token = _begun.set(turns)
    try:
        yield
    finally:
        _begun.reset(token)
        for turn in turns:
            await turn.end()


@dataclass
class Runner:
    """Execute runs, one at a time in each thread.

    Attributes:
        timeout: seconds for a run; None sets no limit.
        traces: where finished runs are logged; None logs none.
        observe: what is told every event.
    """

    timeout: float | None = None
    traces: TraceLog | None = None
    observe: Observe = lambda _: nullcontext(lambda _: None)
    _turns: dict[str, _Turn] = field(default_factory=dict, init=False, repr=False)
    _closed: StoppedError | None = field(default=None, init=False, repr=False)

    async def events(self, run: Run, person: Person | None = None) -> AsyncGenerator[Event]:
        """Yield what happens, as it happens; closing the iterator stops the run.

        A run that was cut short continues at its hop if the same question is sent to the thread, and one that
        waits for a person if the answer is.

        Args:
            run: what is to be done.
            person: answers what the run asks; None ends the events with what is asked.

        Raises:
            RefusedError: the thread is busy, or the run cannot begin; see `begin`.
            StoppedError: the run was stopped from outside.
            TimeoutError: the run took too long.
        """
        if self._closed:
            raise self._closed
        turn = self._turns[run.id] = _Turn()
        # In a task of its own: LangGraph's tasks outlive a cancel scope around them.
        turn.task = asyncio.create_task(self._execute(run, person, turn))
        turn.task.add_done_callback(lambda _: turn.told.put_nowait(None))
        if (begun := _begun.get()) is not None:
            begun.append(turn)
        try:
            while (event := await turn.told.get()) is not None:
                yield event
            if turn.stopped and turn.task.cancelled():
                raise turn.stopped
            await turn.task  # raises what ended it
        finally:
            await turn.end()
            self._turns.pop(run.id, None)

    async def answer(self, run: Run, person: Person | None = None) -> Answered:
        """Execute `run` to its end, as `events` does."""
        async with aclosing(self.events(run, person)) as events:
            return [event async for event in events if isinstance(event, Answered)][-1]

    def stop(self, run: str, error: StoppedError) -> None:
        """Stop the run with this id, if there is one; whoever listens gets the error."""
        if turn := self._turns.get(run):
            turn.stop(error)

    def close(self) -> None:
        """Stop all runs, and refuse others."""
        self._closed = StoppedError("shutting_down", "the server is shutting down.")
        for turn in list(self._turns.values()):
            turn.stop(self._closed)

    async def aclose(self) -> None:
        """Stop all runs, and wait for their end."""
        self.close()
        if tasks := [turn.task for turn in self._turns.values()]:
            await asyncio.wait(tasks, timeout=_PATIENCE)

    async def _execute(self, run: Run, person: Person | None, turn: _Turn) -> None:
        """Execute `run`, and what follows each answer of the person."""
        name = run.graph.get_name()
        async with claimed(run, self.timeout) as run:
            with self.observe(name) as observed:

                def tell(event: Event) -> None:
                    observed(event)
                    turn.tell(event)

                asked = await self._walk(run, tell, waits=person is not None)
                while asked and person:
                    answers = {one["id"]: await person(one) for one in asked}
                    asked = await self._walk(replace(run, resume=answers), tell, waits=True)
                if self.traces and (answered := turn.answered) and not answered.asked:
                    await asyncio.to_thread(self.traces.record, name, run.question, answered.hops)

    async def _walk(self, run: Run, tell: Callable[[Event], None], *, waits: bool) -> list[dict[str, Any]]:
        """Tell what happens until the run ends or asks; return what it asks a person who `waits`."""
        async with asyncio.timeout(self.timeout):
            begun = await begin(run)
            last = frozenset(node for node, follows in run.graph.builder.edges if follows == "answer")
            whole = begun.parallel or begun.context.generation.form is not None  # its form is checked first
            watch = Watch(last, begun.hops, whole)
            async with aclosing(_parts(run, begun)) as parts:  # type: ignore[type-var]
                async for part in parts:
                    data = part["data"]
                    for event in watch.piece(*data) if part["type"] == "messages" else watch.update(data):
                        tell(event)
        for event in watch.end():
            if waits and isinstance(event, Answered):
                return event.asked
            tell(event)
        return []


def _parts(run: Run, begun: Beginning) -> AsyncIterator[Any]:
    """Stream what LangGraph reports."""
    return run.graph.astream(
        begun.given,
        run.config(begun.context),
        context=begun.context,
        stream_mode=["updates", "messages"] if run.pieces else ["updates"],
        # Every hop is kept before the next begins, so that a killed process resumes at its hop.
        durability="sync" if run.thread is not None else None,
        version="v2",
    )
