"""A graph that is invoked, not awaited: the same nodes, from code that blocks."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.store.sqlite import SqliteStore
from langgraph.types import Command

from agents.errors import InputError
from agents.types import NodeName, Worker, WorkerAnswer, WorkerRequest
from graphs.blocking import cancellable, iterate, run
from graphs.build import SubgraphWorker, build_graph
from graphs.spec_file import parse_spec
from graphs.state import GraphContext
from tests.graphs.test_reflection import CRITICISM, FIRST, SECOND, OnlySecond
from tests.scripted import ABSTAIN, ScriptedOctopus, ScriptedWorker, route_to

M, W, V = NodeName("m"), NodeName("w"), NodeName("v")
ONE = parse_spec("masters: {m: {neighbours: [w]}}\nworkers: {w: {description: x}}\n")
CHAIN = parse_spec(
    "masters: {m: {neighbours: [w]}}\nworkers: {w: {description: x, neighbours: [v]}, v: {description: y}}\n"
)
TWO = parse_spec("masters: {m: {neighbours: [w, v]}}\nworkers: {w: {description: x}, v: {description: y}}\n")
REFLEXION = GraphContext(reflection="reflexion")
THREAD: Any = {"configurable": {"thread_id": "t"}}
QUESTION: Any = {"messages": [HumanMessage("?", id="1")]}


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[SqliteSaver]:
    """A checkpointer that cannot be awaited."""
    with SqliteSaver.from_conn_string(str(tmp_path / "t.sqlite")) as sqlite:
        yield sqlite


def one(worker: Worker, octopus: ScriptedOctopus | None = None, verifier: Any = None) -> Any:
    master = octopus or ScriptedOctopus([route_to("w", "<nexa_0>")])
    verifiers = {W: verifier} if verifier else {}
    return build_graph(ONE, octopuses={M: master}, workers={W: worker}, verifiers=verifiers)


def chain(first: ScriptedWorker, last: ScriptedWorker) -> Any:
    """A graph that asks the user after its first worker."""
    octopuses = {M: ScriptedOctopus([route_to("w", "<nexa_0>")]), W: ScriptedOctopus([ABSTAIN])}
    return build_graph(CHAIN, octopuses=octopuses, workers={W: first, V: last})


def test_a_worker_that_answered_does_not_run_again_after_a_question(saver: SqliteSaver) -> None:
    worker, last = ScriptedWorker(), ScriptedWorker([WorkerAnswer("answered", "43")])
    graph = chain(worker, last).compile(checkpointer=saver)
    asked = graph.invoke(QUESTION, THREAD, context=GraphContext(ask_user=True))
    assert asked["__interrupt__"][0].value["kind"] == "ask"
    done = graph.invoke(Command(resume="v"), THREAD, context=GraphContext(ask_user=True))
    assert done["messages"][-1].text == "43"
    assert (len(worker.requests), len(last.requests)) == (1, 1)


async def test_a_thread_goes_on_awaited_where_it_was_invoked(saver: SqliteSaver, tmp_path: Path) -> None:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    worker = ScriptedWorker()
    graph = chain(worker, ScriptedWorker([WorkerAnswer("answered", "43")]))
    blocking = graph.compile(checkpointer=saver)
    await asyncio.to_thread(blocking.invoke, QUESTION, THREAD, context=GraphContext(ask_user=True))
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "t.sqlite")) as awaited:
        done = await graph.compile(checkpointer=awaited).ainvoke(
            Command(resume="v"), THREAD, context=GraphContext(ask_user=True)
        )
    assert done["messages"][-1].text == "43"
    assert len(worker.requests) == 1


def test_a_graph_inside_keeps_its_hops_in_the_same_checkpointer(saver: SqliteSaver) -> None:
    inner = ScriptedOctopus([ABSTAIN])
    below = one(ScriptedWorker(), inner).compile()
    graph = one(SubgraphWorker(below, GraphContext(ask_user=True))).compile(checkpointer=saver)
    asked = graph.invoke(QUESTION, THREAD)
    assert asked["__interrupt__"][0].value["kind"] == "ask"
    assert graph.invoke(Command(resume="w"), THREAD)["messages"][-1].text == "42"


def test_reflection_keeps_its_lessons_in_a_store_that_blocks(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s.sqlite", check_same_thread=False)) as connection:
        connection.isolation_level = None
        store = SqliteStore(connection)
        store.setup()
        for answers in ([FIRST, CRITICISM, SECOND], [SECOND]):
            worker = ScriptedWorker(list(answers))
            hop = one(worker, verifier=OnlySecond()).compile(store=store).invoke(QUESTION, context=REFLEXION)
            assert hop["hops"][0]["evidence"]["reflection"]["mode"] == "reflexion"
        assert "Too short." in worker.requests[0].query


def test_branches_run_beside_each_other() -> None:
    together = threading.Barrier(2, timeout=30)

    class Meets:
        async def answer(self, request: WorkerRequest) -> WorkerAnswer:
            await asyncio.to_thread(together.wait)
            return WorkerAnswer("answered", request.query)

    octopus = ScriptedOctopus([route_to("w", "<nexa_0>"), route_to("v", "<nexa_1>")])
    graph: Any = build_graph(TWO, octopuses={M: octopus}, workers={W: Meets(), V: Meets()}).compile()
    done = graph.invoke({"messages": [HumanMessage("What is b? And what is d?")]})
    assert len(done["hops"]) == 2


def test_a_failure_is_raised_where_the_graph_was_invoked() -> None:
    with pytest.raises(InputError, match="must be from the user"):
        one(ScriptedWorker()).compile().invoke({"messages": []})


def test_blocking_code_may_be_called_by_a_coroutine() -> None:
    async def inner() -> int:
        return 42

    async def outer() -> int:
        return run(inner())

    assert run(outer()) == 42


def test_what_is_iterated_ends_when_it_is_left() -> None:
    ended = threading.Event()

    async def numbers() -> AsyncGenerator[int]:
        try:
            for number in range(3):
                yield number
                if number:
                    await asyncio.Event().wait()
        finally:
            ended.set()

    found = iterate(numbers())
    assert next(found) == 0
    found.close()  # type: ignore[attr-defined]
    assert ended.is_set()


def test_a_failure_while_iterating_is_raised() -> None:
    async def numbers() -> AsyncGenerator[int]:
        yield 0
        raise KeyError("one")

    with pytest.raises(KeyError):
        list(iterate(numbers()))


def test_async_code_may_iterate_what_blocks() -> None:
    async def numbers() -> AsyncGenerator[int]:
        yield 1
        yield 2

    async def outer() -> list[int]:
        return list(iterate(numbers()))  # on the loop that all blocking calls run on

    assert run(outer()) == [1, 2]


async def test_a_cancellation_that_was_lost_is_repeated() -> None:
    lost = 0

    async def work() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
                if lost >= 3:
                    raise

    for ending in (asyncio.timeout(0.01), anyio.move_on_after(0.01)):
        lost = 0
        with suppress(TimeoutError):
            if isinstance(ending, asyncio.Timeout):
                async with ending:
                    await cancellable(work())
            else:
                with ending:
                    await cancellable(work())
        assert lost == 3


def test_what_still_runs_ends_with_the_process() -> None:
    """As `asyncio.run` has it: clean-up runs, and Python has nothing to complain of."""
    program = """
import asyncio
from graphs.blocking import run

async def work():
    try:
        started.set()
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        print("ended")

async def main():
    global started, task
    started = asyncio.Event()
    task = asyncio.create_task(work())
    await started.wait()

run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("ended\n", "")
