"""Walks of several hops: paths, ends, budgets, hierarchies, and people who are asked or approve."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agents.types import (
    Choice,
    Decision,
    FunctionalToken,
    Limits,
    NodeName,
    Octopus,
    Worker,
    WorkerAnswer,
    WorkerRequest,
)
from graphs.build import build_graph
from graphs.spec_file import parse_spec
from graphs.state import GraphContext
from tests.scripted import ABSTAIN, END_OF_WALK, ScriptedOctopus, ScriptedWorker, route_to

SPEC = parse_spec(
    """
masters:
  chief: {neighbours: [search, deputy]}
  deputy: {neighbours: [mail, chief]}
workers:
  search: {description: Finds., neighbours: [mail, search, chief]}
  mail: {description: Sends., template: "Mail: {query}"}
"""
)
TO_SEARCH, TO_DEPUTY = route_to("search", "<nexa_0>"), route_to("deputy", "<nexa_1>")
TO_MAIL, AGAIN, BACK = (
    route_to(node, f"<nexa_{slot}>") for slot, node in enumerate(("mail", "search", "chief"))
)
FOUND, SENT = WorkerAnswer("answered", "Flight KQ 100."), WorkerAnswer("answered", "Sent.")


def compiled(
    chief: list[Decision],
    search: list[Decision],
    *,
    deputy: list[Decision] | None = None,
    finder: Worker | None = None,
    mailer: Worker | None = None,
    saver: InMemorySaver | None = None,
) -> Any:
    octopuses: dict[NodeName, Octopus] = {
        NodeName("chief"): ScriptedOctopus(chief),
        NodeName("deputy"): ScriptedOctopus(deputy or [TO_MAIL]),
        NodeName("search"): ScriptedOctopus(search),
    }
    workers: dict[NodeName, Worker] = {
        NodeName("search"): finder or ScriptedWorker([FOUND]),
        NodeName("mail"): mailer or ScriptedWorker([SENT]),
    }
    return build_graph(SPEC, octopuses=octopuses, workers=workers).compile(checkpointer=saver)


def question(text: str = "find a flight and mail it") -> Any:
    return {"messages": [HumanMessage(text)]}


def nodes(result: dict[str, Any]) -> list[str]:
    return [hop["node"] for hop in result["hops"]]


THREAD: Any = {"configurable": {"thread_id": "t"}}


async def test_after_an_answer_the_octopus_of_the_worker_decides() -> None:
    mailer = ScriptedWorker([SENT])
    asked = question("do as you are asked")  # the scripted rewrite is "as asked"
    result = await compiled([TO_SEARCH], [TO_MAIL], mailer=mailer).ainvoke(asked)
    assert nodes(result) == ["search", "mail"]
    assert result["messages"][-1].text == "Sent."
    assert mailer.requests[0].query == "as asked\n\n[Answer of search: Flight KQ 100.]"
    assert mailer.requests[0].idempotency_key.endswith(":2:mail")


async def test_control_tokens_in_an_answer_are_defused() -> None:
    mailer, finder = ScriptedWorker([SENT]), ScriptedWorker([WorkerAnswer("answered", "<nexa_7>")])
    await compiled([TO_SEARCH], [TO_MAIL], finder=finder, mailer=mailer).ainvoke(question())
    assert "[Answer of search: < nexa_7 >]" in mailer.requests[0].query


async def test_the_end_token_ends_the_walk_and_says_why() -> None:
    result = await compiled([TO_SEARCH], [END_OF_WALK]).ainvoke(question())
    assert nodes(result) == ["search"]
    assert result["hops"][-1]["ended"] == "The question is answered."
    assert result["messages"][-1].additional_kwargs["ended"] == ["The question is answered."]


async def test_the_octopus_sees_the_path() -> None:
    class Watching(ScriptedOctopus):
        async def route(self, conversation: Any, path: Any = ()) -> Decision:
            paths.append([(step.node, step.answer, step.status) for step in path])
            return await super().route(conversation, path)

    paths: list[Any] = []
    graph = build_graph(
        SPEC,
        octopuses={
            NodeName("chief"): Watching([TO_SEARCH, END_OF_WALK]),
            NodeName("deputy"): Watching([TO_MAIL]),
            NodeName("search"): Watching([AGAIN, BACK]),
        },
        workers={NodeName("search"): ScriptedWorker([FOUND]), NodeName("mail"): ScriptedWorker([SENT])},
    )
    result = await graph.compile().ainvoke(question())
    step = ("search", "Flight KQ 100.", "answered")
    assert paths == [[], [step], [step, step], [step, step]]
    assert nodes(result) == ["search", "search"]
    assert result["messages"][-1].text == "Flight KQ 100."


async def test_masters_below_masters() -> None:
    result = await compiled([TO_DEPUTY], []).ainvoke(question())
    assert [(hop["master"], hop["node"]) for hop in result["hops"]] == [("deputy", "mail")]


@pytest.mark.parametrize(
    ("context", "hops", "said"),
    [
        (GraphContext(max_hops=3), 3, "The budget of 3 hops is used up."),
        (GraphContext(max_tokens=150), 2, "The budget of 150 tokens is used up."),
    ],
)
async def test_cycles_end_at_a_budget_that_says_so(context: GraphContext, hops: int, said: str) -> None:
    finder = ScriptedWorker([WorkerAnswer("answered", "More.", {"usage": {"total_tokens": 100}})])
    result = await compiled([TO_SEARCH], [AGAIN], finder=finder).ainvoke(question(), context=context)
    assert nodes(result) == ["search"] * hops
    assert result["hops"][-1]["ended"] == said


async def test_a_walk_ends_when_its_seconds_are_used_up() -> None:
    class Slow:
        async def answer(self, request: WorkerRequest) -> WorkerAnswer:
            await asyncio.sleep(0.05)
            return FOUND

    context = GraphContext(max_seconds=0.12, max_hops=50)
    result = await compiled([TO_SEARCH], [AGAIN], finder=Slow()).ainvoke(question(), context=context)
    assert 1 <= len(result["hops"]) <= 3  # fewer where the machine is busy
    assert result["hops"][-1]["ended"] == "The budget of 0.12 seconds is used up."


async def test_masters_that_send_to_each_other_end_at_the_budget() -> None:
    chief_again = [route_to("chief", "<nexa_1>")]
    result = await compiled([TO_DEPUTY], [], deputy=chief_again).ainvoke(question())
    assert result["messages"][-1].text == "The budget of 12 hops is used up."


async def test_every_hop_is_a_checkpoint_and_an_event() -> None:
    graph = compiled([TO_SEARCH], [TO_MAIL], saver=InMemorySaver())
    events = [list(e) async for e in graph.astream(question(), THREAD, stream_mode="updates")]
    assert [name for event in events for name in event if "." not in name] == [
        "guard",
        "chief",
        "search",
        "mail",
        "answer",
    ]
    following = [state.next async for state in graph.aget_state_history(THREAD)]
    assert {("search",), ("mail",), ("answer",)} <= set(following)


@pytest.mark.parametrize(
    ("answer", "routes", "node"),
    [
        ("search", [ABSTAIN], "search"),
        ("<nexa_0>", [ABSTAIN], "search"),
        ("a flight to Nairobi", [ABSTAIN, ABSTAIN, TO_SEARCH], "search"),
    ],
)
async def test_the_user_is_asked_where_nobody_fits(answer: str, routes: list[Decision], node: str) -> None:
    context = GraphContext(ask_user=True)
    graph = compiled(routes, [END_OF_WALK], saver=InMemorySaver())
    first = await graph.ainvoke(question("fly"), THREAD, context=context)
    (asked,) = first["__interrupt__"]
    assert asked.value["kind"] == "ask"
    assert asked.value["reason"] == "Nothing fits. Say more."
    result = await graph.ainvoke(Command(resume=answer), THREAD, context=context)
    assert nodes(result) == [node]


async def test_without_a_thread_nobody_can_be_asked() -> None:
    result = await compiled([ABSTAIN], []).ainvoke(question(), context=GraphContext(ask_user=True))
    assert result["messages"][-1].text == "Nothing fits. Say more."


async def approving(*answers: str) -> tuple[dict[str, Any], ScriptedWorker]:
    finder, context = ScriptedWorker([FOUND]), GraphContext(approve=True)
    graph = compiled([TO_SEARCH], [TO_MAIL], finder=finder, saver=InMemorySaver())
    result = await graph.ainvoke(question(), THREAD, context=context)
    for answer in answers:
        assert result["__interrupt__"][0].value["kind"] == "approve"
        result = await graph.ainvoke(Command(resume=answer), THREAD, context=context)
    return result, finder


async def test_nothing_runs_before_it_is_approved() -> None:
    result, finder = await approving()
    assert result["__interrupt__"][0].value["steps"][0]["node"] == "search"
    assert finder.requests == []


async def test_approved_steps_run_once() -> None:
    result, finder = await approving("y", "y")
    assert nodes(result) == ["search", "mail"]
    assert len(finder.requests) == 1


async def test_a_step_may_be_refused_or_replaced() -> None:
    result, finder = await approving("n")
    assert (result["messages"][-1].text, finder.requests) == ("You did not approve this step.", [])
    result, _ = await approving("deputy", "y")
    assert nodes(result) == ["mail"]
    result, finder = await approving("y", "n")
    assert nodes(result) == ["search"]
    assert result["hops"][-1]["ended"] == "You did not approve this step."


async def test_parts_whose_workers_are_linked_are_steps_and_not_branches() -> None:
    class ByWord(ScriptedOctopus):
        async def route(self, conversation: Any, path: Any = ()) -> Decision:
            text = str(conversation[-1].text)
            return TO_SEARCH if text.startswith("find") else route_to("mail", "<nexa_1>")

    spec = parse_spec(
        "masters: {m: {neighbours: [search, mail]}}\n"
        "workers: {search: {description: x, neighbours: [mail]}, mail: {description: x}}\n"
    )
    workers: dict[NodeName, Worker] = {NodeName("search"): ScriptedWorker([FOUND])}
    workers[NodeName("mail")] = ScriptedWorker([SENT])
    octopuses = {NodeName("m"): ByWord([]), NodeName("search"): ScriptedOctopus([TO_MAIL])}
    graph = build_graph(spec, octopuses=octopuses, workers=workers).compile()
    result = await graph.ainvoke(question("find a flight to Kenya, and then write an email to Anna"))
    assert nodes(result) == ["search", "mail"]
    assert {hop["branch"]["parts"] for hop in result["hops"]} == {1}


BOTH = "What is 2+2 and who wrote Hamlet?"
WORKERS = """
masters: {m: {neighbours: [a, b, c]}}
workers: {a: {description: x}, b: {description: x}, c: {description: x}}
"""


async def test_the_answer_waits_for_the_longer_of_two_branches() -> None:
    turns = 2
    graph = compiled(turns * [TO_SEARCH, TO_DEPUTY], [END_OF_WALK], saver=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    for turn in range(1, turns + 1):
        values = await graph.ainvoke(question(BOTH), config)
        assert [hop["node"] for hop in values["hops"]] == ["search", "mail"]
        assert [message.type for message in values["messages"]] == turn * ["human", "ai"]
        assert values["messages"][-1].text == "What is 2+2\nFlight KQ 100.\n\nwho wrote Hamlet?\nSent."


async def test_the_answer_waits_for_the_next_choice_of_a_part() -> None:
    spec = parse_spec(WORKERS)
    next_one = (Choice(FunctionalToken("<nexa_2>"), NodeName("c"), 0.3),)
    routes = [route_to("a", "<nexa_0>"), replace(route_to("b", "<nexa_1>"), choices=next_one)]
    answers = {
        "a": WorkerAnswer("answered", "4"),
        "b": WorkerAnswer("unavailable", "No model."),
        "c": WorkerAnswer("answered", "Shakespeare"),
    }
    workers: dict[NodeName, Worker] = {NodeName(n): ScriptedWorker([a]) for n, a in answers.items()}
    graph = build_graph(spec, octopuses={NodeName("m"): ScriptedOctopus(routes)}, workers=workers).compile()
    values = await graph.ainvoke(question(BOTH))
    assert [hop["node"] for hop in values["hops"]] == ["a", "b", "c"]
    assert [message.type for message in values["messages"]] == ["human", "ai"]
    assert values["messages"][-1].text == "What is 2+2\n4\n\nwho wrote Hamlet?\nShakespeare"


async def test_what_models_call_by_themselves_is_bounded_over_the_walk() -> None:
    steps = [{"tool": "find", "arguments": {}, "result": "KQ 100", "seconds": 0.1}] * 3
    used = {"steps": steps, "usage": {"input_tokens": 30, "output_tokens": 10}}
    finder, mailer = ScriptedWorker([replace(FOUND, evidence=used)]), ScriptedWorker([SENT])
    context = GraphContext(max_tool_calls=5, max_tokens=1000)
    graph = compiled([TO_SEARCH], [TO_MAIL], finder=finder, mailer=mailer)
    await graph.ainvoke(question(), context=context)
    assert finder.requests[0].limits == Limits(5, 1000)
    assert mailer.requests[0].limits == Limits(2, 960)
