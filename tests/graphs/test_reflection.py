"""Reflection in the graph: per worker and per call, in the trace, as checkpoints, and across threads."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import NodeCancelledError
from langgraph.store.memory import InMemoryStore

from agents.errors import SpecError
from agents.reflection.types import Verdict
from agents.types import NodeName, WorkerAnswer
from graphs.build import Graph, build_graph
from graphs.spec_file import parse_spec
from graphs.state import GraphContext
from tests.scripted import ScriptedOctopus, ScriptedWorker, route_to

CHIEF, SAGE = NodeName("chief"), NodeName("sage")
CRITICISM, AGREED = WorkerAnswer("answered", "Too short."), WorkerAnswer("answered", "AGREED")
FIRST, SECOND = (WorkerAnswer("answered", text, {"model": "m"}) for text in ("Hm.", "At length."))


class OnlySecond:
    """A verifier that passes the second draft."""

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        return Verdict(float(draft == SECOND.text), draft == SECOND.text, "too short")


def graph(worker: ScriptedWorker, reflection: str = "{}", verifier: Any = None) -> Graph:
    spec = parse_spec(
        f"""
masters: {{chief: {{neighbours: [sage]}}}}
workers: {{sage: {{description: Advice., reflection: {reflection}}}}}
"""
    )
    return build_graph(
        spec,
        octopuses={CHIEF: ScriptedOctopus([route_to("sage", "<nexa_0>", probability=0.6)])},
        workers={SAGE: worker},
        verifiers={SAGE: verifier} if verifier else {},
    )


async def ask(graph: Graph, context: GraphContext | None = None, **options: Any) -> dict[str, Any]:
    compiled = graph.compile(**options)
    config: Any = {"configurable": {"thread_id": "t"}}
    result = await compiled.ainvoke({"messages": [HumanMessage("What was asked?")]}, config, context=context)
    hop: dict[str, Any] = result["hops"][0]
    return hop


async def test_the_spec_asks_for_it_and_the_trace_shows_it() -> None:
    worker = ScriptedWorker([FIRST, CRITICISM, SECOND, AGREED])
    hop = await ask(graph(worker, "{mode: basic}"))
    assert (hop["answer"], hop["evidence"]["model"]) == ("At length.", "m")
    trace = hop["evidence"]["reflection"]
    assert (trace["mode"], trace["reason"]) == ("basic", "the critic agrees")
    assert [(one["draft"], one["feedback"], one["passed"]) for one in trace["rounds"]] == [
        ("Hm.", "Too short.", False),
        ("At length.", "", True),
    ]
    assert 0 < trace["rounds"][0]["tokens"] < trace["rounds"][1]["tokens"] == trace["tokens"]
    assert json.loads(json.dumps(hop)) == hop
    assert "Too short." in worker.requests[2].query
    assert worker.requests[0].query == "as asked"


async def test_without_it_the_worker_is_asked_once() -> None:
    worker = ScriptedWorker([FIRST])
    assert "reflection" not in (await ask(graph(worker)))["evidence"]
    assert len(worker.requests) == 1


async def test_the_context_overrides_mode_and_budget() -> None:
    worker = ScriptedWorker([FIRST, CRITICISM])
    context = GraphContext(reflection="basic", reflection_rounds=2)
    trace = (await ask(graph(worker, "{mode: lats, rounds: 9}"), context))["evidence"]["reflection"]
    assert (trace["mode"], len(trace["rounds"])) == ("basic", 2)
    assert trace["reason"] == "the budget of 2 rounds is used up"
    assert (await ask(graph(ScriptedWorker(), "{mode: basic}"), GraphContext(reflection="none")))[
        "evidence"
    ] == {"by": "script"}


async def test_tokens_bound_what_a_model_may_generate() -> None:
    worker = ScriptedWorker([FIRST, CRITICISM])
    await ask(graph(worker, "{mode: basic, tokens: 50}"))
    assert worker.requests[0].generation.max_tokens == 50
    assert all((request.generation.max_tokens or 0) <= 50 for request in worker.requests)


async def test_a_verifier_of_the_spec_judges() -> None:
    worker = ScriptedWorker([FIRST, CRITICISM, SECOND])
    hop = await ask(graph(worker, "{mode: reflexion}", OnlySecond()))
    assert hop["answer"] == "At length."
    assert "too short" in worker.requests[1].query  # the evidence is before the critic
    assert hop["evidence"]["reflection"]["reason"] == "the verifier passed it"


async def test_auto_picks_reflexion_for_a_failed_verdict() -> None:
    worker = ScriptedWorker([FIRST, CRITICISM, SECOND])
    hop = await ask(graph(worker, "{mode: auto}", OnlySecond()))
    trace = hop["evidence"]["reflection"]
    assert (trace["mode"], trace["level"], hop["answer"]) == ("auto", "reflexion", "At length.")


async def test_a_model_is_the_judge() -> None:
    judge = [WorkerAnswer("answered", f"SCORE: {mark}/10\nWhy.") for mark in (3, 9)]
    worker = ScriptedWorker([FIRST, judge[0], CRITICISM, SECOND, judge[1]])
    trace = (await ask(graph(worker, "{mode: reflexion, verifier: model}")))["evidence"]["reflection"]
    assert [one["score"] for one in trace["rounds"]] == [0.3, 0.9]


async def test_lats_searches_over_whole_answers() -> None:
    worker = ScriptedWorker([FIRST, CRITICISM, FIRST, SECOND, FIRST, CRITICISM, AGREED])
    hop = await ask(graph(worker, "{mode: lats}", OnlySecond()))
    assert hop["answer"] == "At length."
    assert hop["evidence"]["reflection"]["reason"] == "the verifier passed it"


async def test_what_a_tool_computed_is_left_alone() -> None:
    worker = ScriptedWorker([WorkerAnswer("answered", "12", {"function": "calculus.derivative"})])
    hop = await ask(graph(worker, "{mode: reflexion}"))
    assert (len(worker.requests), hop["evidence"]["reflection"]["reason"]) == (1, "a tool computed it")


async def test_a_worker_without_an_answer_is_not_criticised() -> None:
    worker = ScriptedWorker([WorkerAnswer("unavailable", "Connect a model.")])
    hop = await ask(graph(worker, "{mode: basic}"))
    assert (hop["status"], hop["answer"], len(worker.requests)) == ("unavailable", "Connect a model.", 1)


async def test_a_model_that_becomes_unavailable_leaves_the_draft() -> None:
    worker = ScriptedWorker([FIRST, CRITICISM, WorkerAnswer("unavailable", "Gone.")])
    hop = await ask(graph(worker, "{mode: basic}"))
    assert (hop["status"], hop["answer"]) == ("answered", "Hm.")
    assert "Gone." in hop["evidence"]["reflection"]["reason"]


async def test_a_run_that_was_killed_goes_on_at_its_round() -> None:
    worker = ScriptedWorker([FIRST, asyncio.CancelledError(), CRITICISM, SECOND, AGREED])
    compiled = graph(worker, "{mode: basic}").compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    with pytest.raises(NodeCancelledError):
        await compiled.ainvoke({"messages": [HumanMessage("?")]}, config, durability="sync")
    result = await compiled.ainvoke(None, config, durability="sync")
    rounds = result["hops"][0]["evidence"]["reflection"]["rounds"]
    assert [one["draft"] for one in rounds] == ["Hm.", "At length."]
    assert sum(request.query == "as asked" for request in worker.requests) == 1


async def test_each_round_is_an_event_of_the_stream() -> None:
    worker = ScriptedWorker([FIRST, CRITICISM, SECOND, AGREED])
    compiled = graph(worker, "{mode: basic}").compile()
    events = [
        next(iter(update))
        async for place, update in compiled.astream(
            {"messages": [HumanMessage("?")]}, stream_mode="updates", subgraphs=True
        )
        if place
    ]
    assert events == ["draft", "critique", "draft", "critique"]


async def test_lessons_reach_another_thread_through_the_store() -> None:
    store = InMemoryStore()
    first = ScriptedWorker([FIRST, CRITICISM, SECOND])
    await ask(graph(first, "{mode: reflexion}", OnlySecond()), store=store)
    second = ScriptedWorker([SECOND])
    await ask(graph(second, "{mode: reflexion}", OnlySecond()), store=store)
    assert "Too short." in second.requests[0].query


@pytest.mark.parametrize(
    ("reflection", "named"),
    [
        ("{mode: deep}", "mode"),
        ("{rounds: 0}", "rounds"),
        ("{verifier: guess}", "verifier"),
        ("{verifier: {type: obj}}", "'obj'"),
        ("{verifier: {patern: x}}", "'patern'"),
    ],
)
def test_a_bad_spec_is_refused(reflection: str, named: str) -> None:
    with pytest.raises(SpecError, match=named):
        graph(ScriptedWorker(), reflection)
