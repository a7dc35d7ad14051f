"""One run at a time in a thread: the runners of several processes, their queue, and runs that stood still."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver

from agents.types import Decision, NodeName, Step, WorkerAnswer, WorkerRequest
from app.persistence import SqliteSaver, locks
from app.persistence.checkpoints import config_of, messages_of
from app.persistence.locks import locked
from app.runs.run import RefusedError, Run
from app.runs.runner import Runner
from graphs.build import build_graph
from graphs.spec_file import parse_spec
from tests.scripted import route_to

SPEC = parse_spec("masters: {m: {neighbours: [w]}}\nworkers: {w: {description: x}}\n")


class Passing:
    """Sends every question to the worker, as it is."""

    async def route(self, conversation: Sequence[BaseMessage], path: Sequence[Step] = ()) -> Decision:
        return route_to("w", "<nexa_0>", rewritten=str(conversation[-1].text))


class Echo:
    """Answers with the question; one of them when it may."""

    def __init__(self, held: str = "") -> None:
        self.held = held
        self.began, self.may_end = asyncio.Event(), asyncio.Event()

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        if request.query == self.held:
            self.began.set()
            await self.may_end.wait()
        return WorkerAnswer("answered", f"{request.query}!")


def run(saver: BaseCheckpointSaver[Any], question: str, worker: Echo | None = None, **given: Any) -> Run:
    """A run as another process would have it."""
    nodes = build_graph(SPEC, octopuses={NodeName("m"): Passing()}, workers={NodeName("w"): worker or Echo()})
    graph = nodes.compile(checkpointer=saver, name="g")
    return Run(graph, [HumanMessage(question)], model="g", thread="t", **given)


async def said(saver: BaseCheckpointSaver[Any]) -> list[str]:
    return [str(one.text) for one in await messages_of(saver, await saver.aget_tuple(config_of("t")))]


async def test_two_runners_respect_each_other_and_a_run_that_waits_reads_the_thread_anew(
    tmp_path: Path,
) -> None:
    file = str(tmp_path / "file")
    async with SqliteSaver.from_conn_string(file) as one, SqliteSaver.from_conn_string(file) as other:
        worker = Echo("first")
        busy = asyncio.create_task(Runner().answer(run(one, "first", worker)))
        await worker.began.wait()
        with pytest.raises(RefusedError, match="still working") as refused:
            await Runner().answer(run(other, "second"))
        assert refused.value.retryable
        with pytest.raises(RefusedError):  # it waits for no longer than a run may take
            await Runner(timeout=0.1).answer(run(other, "second", wait=3600.0))
        waiting = asyncio.create_task(Runner(timeout=60).answer(run(other, "second", wait=60.0)))
        await asyncio.sleep(0.2)
        worker.may_end.set()
        assert [(await task).text for task in (busy, waiting)] == ["first!", "second!"]
        assert await said(one) == ["first", "first!", "second", "second!"]


async def test_a_run_that_stood_still_writes_nothing_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "file")
    async with SqliteSaver.from_conn_string(file) as one, SqliteSaver.from_conn_string(file) as other:
        await Runner().answer(run(one, "before"))
        worker = Echo("slow")
        with monkeypatch.context() as patch:
            patch.setattr(locks, "LEASE", 0.05)
            patch.setattr(locks, "_RENEWAL", 3600.0)
            slow = asyncio.create_task(Runner().answer(run(one, "slow", worker)))
            await worker.began.wait()
            await asyncio.sleep(0.1)
        assert (await Runner().answer(run(other, "quick"))).text == "quick!"
        worker.may_end.set()
        with pytest.raises(RefusedError, match="taken over"):
            await slow
        assert await said(other) == ["before", "before!", "slow", "quick", "quick!"]


async def test_what_is_asked_after_the_end_of_a_response_goes_on_there(tmp_path: Path) -> None:
    async with SqliteSaver.from_conn_string(str(tmp_path / "file")) as saver:
        await Runner().answer(run(saver, "first"))
        first = await saver.aget_tuple(config_of("t"))
        assert first is not None
        await Runner().answer(run(saver, "second", checkpoint=first.checkpoint["id"]))
        assert await said(saver) == ["first", "first!", "second", "second!"]
        second = await saver.aget_tuple(config_of("t"))
        assert second is not None
        assert "checkpoint_id" not in str(second.metadata)
        await Runner().answer(run(saver, "other", checkpoint=first.checkpoint["id"]))
        assert await said(saver) == ["first", "first!", "other", "other!"]
        async with locked(saver, "t"):
            pass
