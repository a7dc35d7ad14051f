"""A run: its events, its end, what it asks, and how it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, nullcontext
from typing import Annotated, Any

import anyio
import pytest
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

from agents.errors import InputError
from agents.types import NodeName, WorkerAnswer, WorkerRequest
from app.persistence.checkpoints import config_of
from app.persistence.locks import locked
from app.runs.events import Answered, Decided, Ended, Event, Hopped, Written, worded
from app.runs.run import RefusedError, Run
from app.runs.runner import Runner, StoppedError, no_longer_than_this
from graphs.build import build_graph
from graphs.spec_file import parse_spec
from graphs.state import GraphContext
from tests.scripted import ABSTAIN, END_OF_WALK, ScriptedOctopus, ScriptedWorker, route_to

SPEC = parse_spec(
    "masters: {m: {neighbours: [w, v]}}\n"
    "workers: {w: {description: x, neighbours: [v]}, v: {description: y}}\n"
)
M, W, V = NodeName("m"), NodeName("w"), NodeName("v")


def compiled(first: Any = None, after: Any = None, **workers: Any) -> Any:
    octopuses = {
        M: ScriptedOctopus([first or route_to("v", "<nexa_1>")]),
        W: ScriptedOctopus([after or END_OF_WALK]),
    }
    given = {W: workers.get("w") or ScriptedWorker(), V: workers.get("v") or ScriptedWorker()}
    return build_graph(SPEC, octopuses=octopuses, workers=given).compile(
        checkpointer=InMemorySaver(), name="g"
    )


def run(graph: Any, text: str = "?", **given: Any) -> Run:
    graph = graph if "thread" in given else graph.copy({"checkpointer": None})
    return Run(graph, [HumanMessage(text)], model="g", **given)


async def events_of(runner: Runner, asked: Run) -> list[Event]:
    return [event async for event in runner.events(asked)]


async def test_events_tell_what_happens() -> None:
    events = await events_of(Runner(), run(compiled()))
    assert [type(event) for event in events] == [Decided, Hopped, Answered]
    assert isinstance(end := events[-1], Answered)
    assert (end.text, end.rest, end.status, end.path) == ("42", "42", "answered", ["v"])
    assert (end.probability, end.tokens, end.cost, end.reason) == (0.9, 0, 0, "v fits.")


async def test_a_walk_that_ends_says_why() -> None:
    events = await events_of(Runner(), run(compiled(route_to("w", "<nexa_0>"))))
    assert [type(event) for event in events] == [Decided, Hopped, Ended, Answered]
    assert isinstance(events[2], Ended)
    assert events[2].decision["reason"] == END_OF_WALK.reason


async def test_an_abstention_has_a_status_and_a_reason() -> None:
    answered = await Runner().answer(run(compiled(ABSTAIN)))
    assert (answered.status, answered.reason, answered.path) == ("declined", ABSTAIN.reason, [])


async def test_a_failure_is_raised_and_the_same_question_goes_on() -> None:
    first = ScriptedWorker()
    last = ScriptedWorker([ConnectionError("away"), WorkerAnswer("answered", "43")])
    graph = compiled(route_to("w", "<nexa_0>"), route_to("v", "<nexa_0>"), w=first, v=last)
    with pytest.raises(ConnectionError):
        await Runner().answer(run(graph, thread="t"))
    answered = await Runner().answer(run(graph, thread="t"))
    assert (answered.text, answered.path) == ("43", ["w", "v"])
    assert len(first.requests) == 1


async def test_another_question_begins_anew() -> None:
    graph = compiled(v=ScriptedWorker([ConnectionError("away"), WorkerAnswer("answered", "43")]))
    with pytest.raises(ConnectionError):
        await Runner().answer(run(graph, thread="t"))
    answered = await Runner().answer(run(graph, "another?", thread="t"))
    assert answered.hops[0]["status"] == "answered"


async def test_new_instructions_replace_those_of_the_thread() -> None:
    worker = ScriptedWorker()
    graph = compiled(v=worker)

    async def ask(*instructions: str) -> list[str]:
        messages = [*map(SystemMessage, instructions), HumanMessage("?")]
        await Runner().answer(Run(graph, messages, model="g", thread="t"))
        said = worker.requests[-1].conversation
        return [str(one.text) for one in said if isinstance(one, SystemMessage)]

    assert await ask("Be brief.") == ["Be brief."]
    assert await ask() == ["Be brief."]
    assert await ask("Be brief.") == ["Be brief."]
    assert await ask("Be long.", "In French.") == ["Be long.", "In French."]
    assert len(worker.requests[-1].conversation) == 8  # with three turns and their answers


async def test_a_run_waits_for_a_person_in_its_thread() -> None:
    graph, context = compiled(), GraphContext(approve=True)
    waits = await Runner().answer(run(graph, thread="t", context=context))
    assert (waits.status, [one["kind"] for one in waits.asked]) == ("asked", ["approve"])
    assert "Go on? [y/n/another node]" in waits.text
    again = await Runner().answer(run(graph, thread="t", context=context))
    assert [one["id"] for one in again.asked] == [one["id"] for one in waits.asked]
    answered = await Runner().answer(run(graph, "y", thread="t"))
    assert (answered.text, answered.status) == ("42", "answered")


async def test_an_answer_may_name_its_question() -> None:
    graph = compiled()
    (asked,) = (await Runner().answer(run(graph, thread="t", context=GraphContext(approve=True)))).asked
    with pytest.raises(RefusedError, match="nothing is asked"):
        await Runner().answer(run(graph, thread="t", resume={"other": "y"}))
    answered = await Runner().answer(run(graph, thread="t", resume={asked["id"]: "w"}))
    assert answered.path[0] == "w"


async def test_a_person_answers_while_the_run_goes_on() -> None:
    asked = []

    async def person(question: dict[str, Any]) -> str:
        asked.append(worded(question)[1])
        return "n" if len(asked) > 1 else "w"

    given = run(compiled(route_to("w", "<nexa_0>"), route_to("v", "<nexa_0>")), thread="t")
    events = [
        event
        async for event in Runner().events(
            Run(given.graph, given.messages, GraphContext(approve=True), "g", "t"), person
        )
    ]
    assert len(asked) == 2
    assert sum(isinstance(event, Answered) for event in events) == 1


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"resume": "y"}, "nothing_asked"),
        ({"resume": "y", "thread": "t"}, "nothing_asked"),
        ({"context": GraphContext(ask_user=True)}, "thread_needed"),
    ],
)
async def test_what_cannot_begin_is_refused(given: dict[str, Any], code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        await Runner().answer(run(compiled(), **given))
    assert refused.value.code == code


class Slow:
    def __init__(self) -> None:
        self.began, self.ended = asyncio.Event(), asyncio.Event()

    async def answer(self, request: WorkerRequest) -> WorkerAnswer:
        try:
            self.began.set()
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        raise AssertionError


async def test_a_thread_has_one_run_at_a_time_and_a_run_can_be_left() -> None:
    slow, runner = Slow(), Runner()
    graph = compiled(v=slow)
    busy = asyncio.create_task(runner.answer(run(graph, thread="t")))
    await slow.began.wait()
    with pytest.raises(RefusedError, match="still working") as refused:
        await runner.answer(run(graph, thread="t"))
    assert refused.value.retryable
    busy.cancel()
    with pytest.raises(asyncio.CancelledError):
        await busy
    assert slow.ended.is_set()
    async with locked(graph.checkpointer, "t"):
        pass


async def test_a_run_ends_at_its_deadline() -> None:
    with pytest.raises(TimeoutError):
        await Runner(timeout=0.05).answer(run(compiled(v=Slow())))


async def test_a_run_ends_with_what_it_was_begun_for() -> None:
    slow, runner = Slow(), Runner()
    graph = compiled(v=slow)
    events = runner.events(run(graph, thread="t"))
    async with no_longer_than_this():
        first = await anext(events)
        await slow.began.wait()
    assert isinstance(first, Decided)
    assert slow.ended.is_set()
    async with locked(graph.checkpointer, "t"):
        pass


async def test_a_cancel_scope_around_it_ends_what_it_began() -> None:
    slow = Slow()
    with anyio.move_on_after(0.2) as scope:
        await Runner().answer(run(compiled(v=slow), pieces=True))
    assert scope.cancelled_caught
    assert slow.ended.is_set()


async def test_a_runner_that_closes_stops_its_runs_and_takes_no_other() -> None:
    slow, runner = Slow(), Runner()
    graph = compiled(v=slow)
    others = [asyncio.create_task(runner.answer(run(graph, thread=name))) for name in "ab"]
    await slow.began.wait()
    runner.close()
    for one in others:
        with pytest.raises(StoppedError, match="shutting down") as stopped:
            await one
        assert (stopped.value.code, stopped.value.retryable) == ("shutting_down", True)
    with pytest.raises(StoppedError, match="shutting down"):
        await runner.answer(run(graph))
    async with locked(graph.checkpointer, "a"), locked(graph.checkpointer, "b"):
        pass


async def test_one_run_is_stopped_by_its_id() -> None:
    slow, runner = Slow(), Runner()
    asked = run(compiled(v=slow))
    answering = asyncio.create_task(runner.answer(asked))
    await slow.began.wait()
    runner.stop("another", StoppedError("cancelled", "the request was cancelled."))
    runner.stop(asked.id, StoppedError("cancelled", "the request was cancelled."))
    with pytest.raises(StoppedError, match="was cancelled"):
        await answering
    assert slow.ended.is_set()


async def test_an_answer_that_was_told_is_kept_when_its_listener_leaves() -> None:
    graph = compiled()
    for thread in map(str, range(20)):
        async with aclosing(Runner().events(run(graph, thread=thread))) as events:
            async for event in events:
                if isinstance(event, Answered):
                    break
        state = await graph.aget_state(config_of(thread))
        assert ([one.text for one in state.values["messages"]], state.next) == (["?", "42"], ())


async def test_an_observer_is_told_everything() -> None:
    told: list[Any] = []

    @contextmanager
    def observe(graph: str) -> Iterator[Any]:
        told.append(graph)
        yield told.append
        told.append("over")

    events = await events_of(Runner(observe=observe), run(compiled()))
    assert told == ["g", *events, "over"]
    assert not any(isinstance(event, Written) for event in events)


class EarlierState(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    turn: str
    decision: dict[str, Any]


def left_by_an_earlier_version(saver: Any, *, asks: bool) -> None:
    """Write what versions before 0.1.0 left in thread `t`: a `decision`, and a run that did not end."""

    def guard(state: EarlierState) -> dict[str, Any]:
        return {"turn": "1", "decision": {"master": "", "node": None, "fan": []}}

    def master(state: EarlierState) -> dict[str, Any]:
        if asks:
            interrupt({"kind": "approve", "steps": []})
        raise ConnectionError("away")

    graph = StateGraph(EarlierState).add_node(guard).add_node("m", master)
    graph.add_edge(START, "guard").add_edge("guard", "m").add_edge("m", END)
    given: Any = {"messages": [HumanMessage("?")]}
    with nullcontext() if asks else pytest.raises(ConnectionError):
        graph.compile(checkpointer=saver).invoke(given, config_of("t"))


@pytest.mark.parametrize("asks", [False, True])
async def test_a_run_of_an_earlier_version_begins_again(asks: bool) -> None:
    graph = compiled()
    left_by_an_earlier_version(graph.checkpointer, asks=asks)
    answered = await Runner().answer(run(graph, thread="t"))
    assert (answered.text, answered.path) == ("42", ["v"])
    state = await graph.aget_state(config_of("t"))
    assert [message.text for message in state.values["messages"]] == ["?", "42"]
    assert (await Runner().answer(run(graph, "and now?", thread="t"))).status == "answered"


async def test_what_an_earlier_version_asked_cannot_be_answered() -> None:
    graph = compiled()
    left_by_an_earlier_version(graph.checkpointer, asks=True)
    with pytest.raises(RefusedError, match="send the last question again"):
        await Runner().answer(run(graph, "y", thread="t"))
    with pytest.raises(InputError, match="Send the question again"):  # in somebody's own graph
        await graph.ainvoke(Command(resume="y"), config_of("t"))
