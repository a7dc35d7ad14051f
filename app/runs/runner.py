"""Execute runs, as events or to their end; stop them at a deadline or when nobody listens any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, aclosing, nullcontext
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from app.runs.events import Answered, Event, Watch
from app.runs.run import Beginning, RefusedError, Run, begin
from app.runs.traces import TraceLog

Person = Callable[[dict[str, Any]], Awaitable[str]]
"""Answers what a run asks: the interrupt's JSON value → what to resume with."""

Observe = Callable[[str], AbstractContextManager[Callable[[Event], None]]]
"""Opens what is told every event of one run of the graph with this name."""


@dataclass
class Runner:
    """Execute runs, one at a time in each thread.

    Attributes:
        timeout: seconds for a run; None sets no limit.
        traces: where finished runs are logged; None logs none.
        observe: what is told every event.
        busy: keys of the threads that have a run now.
    """

    timeout: float | None = None
    traces: TraceLog | None = None
    observe: Observe = lambda _: nullcontext(lambda _: None)
    busy: set[str] = field(default_factory=set)
    _claiming: Lock = field(default_factory=Lock, init=False, repr=False)

    async def events(self, run: Run, person: Person | None = None) -> AsyncGenerator[Event]:
        """Yield what happens, as it happens; closing the iterator stops the run.

        A run that was cut short continues at its hop if the same question is sent to the thread, and one that
        waits for a person if the answer is.

        Args:
            run: what is to be done.
            person: answers what the run asks; None ends the events with what is asked.

        Raises:
            RefusedError: the thread is busy, or the run cannot begin; see `begin`.
            TimeoutError: the run took too long.
        """
        key = run.key
        if key is not None:
            self._claim(key)
        try:
            name = run.graph.get_name()
            with self.observe(name) as told:
                async with aclosing(self._answering(run, person)) as events:
                    async for event in events:
                        told(event)
                        if self.traces and isinstance(event, Answered) and not event.asked:
                            await asyncio.to_thread(self.traces.record, name, run.question, event.hops)
                        yield event
        finally:
            self.busy.discard(key or "")

    def _claim(self, key: str) -> None:
        with self._claiming:  # runs come from several event loops
            if key in self.busy:
                raise RefusedError("thread_busy", "this thread is still working on another request.")
            self.busy.add(key)

    async def answer(self, run: Run, person: Person | None = None) -> Answered:
        """Execute `run` to its end, as `events` does."""
        async with aclosing(self.events(run, person)) as events:
            return [event async for event in events if isinstance(event, Answered)][-1]

    async def _answering(self, run: Run, person: Person | None) -> AsyncGenerator[Event]:
        """Yield the events of `run`, and of what follows each answer of the person."""
        waits: Run | None = run
        while waits is not None:
            asking, waits = waits, None
            async with aclosing(self._watch(asking)) as events:
                async for event in events:
                    if person is not None and isinstance(event, Answered) and event.asked:
                        waits = replace(run, resume={one["id"]: await person(one) for one in event.asked})
                    else:
                        yield event

    async def _watch(self, run: Run) -> AsyncGenerator[Event]:
        clock = asyncio.get_running_loop().time
        deadline = None if self.timeout is None else clock() + self.timeout
        async with asyncio.timeout_at(deadline):
            begun = await begin(run)
        last = frozenset(node for node, follows in run.graph.builder.edges if follows == "answer")
        whole = begun.parallel or begun.context.generation.form is not None  # its form is checked first
        watch = Watch(last, begun.hops, whole)
        async with aclosing(_parts(run, begun)) as parts:  # type: ignore[type-var]
            while True:
                # Not around the loop: the time-out must not strike in the code that we yield to.
                try:
                    async with asyncio.timeout_at(deadline):
                        part = await anext(parts)
                except StopAsyncIteration:
                    break
                told = (
                    watch.piece(*part["data"]) if part["type"] == "messages" else watch.update(part["data"])
                )
                for event in told:
                    yield event
        for event in watch.end():
            yield event


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
