"""Tools of a client: their results go to the worker that called; and another model where one fails."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from pydantic import ValidationError

from agents.errors import InputError
from agents.generation import Generation
from agents.types import FailureCode, NodeName, Worker, WorkerAnswer, failure
from graphs.build import build_graph
from graphs.spec_file import parse_spec
from graphs.state import GraphContext
from graphs.tool_turns import check_last
from tests.scripted import END_OF_WALK, ScriptedOctopus, ScriptedWorker, route_to

SPEC = parse_spec(
    """
entry: top
masters:
  top: {neighbours: [sciences, law, anyone], generalist: anyone}
  sciences: {neighbours: [bio logy, math]}
workers:
  bio logy: {description: x, template: "Bio: {query}"}
  math: {description: x, neighbours: [law]}
  law: {description: x, model: "openai:jurist@http://127.0.0.1:1/v1"}
  anyone: {description: x}
"""
)
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALLS = [
    ToolCall(name="weather", args={"at": "Oslo", "day": 1}, id="c1"),
    ToolCall(name="weather", args={"at": "Rome"}, id="c2"),
]
CALLING = WorkerAnswer("answered", "", {"finish_reason": "tool_calls"}, calls=CALLS)
CALLED = AIMessage("", tool_calls=CALLS)
SUN = WorkerAnswer("answered", "Sun.")
TO_SCIENCES, TO_LAW = route_to("sciences", "<nexa_0>"), route_to("law", "<nexa_1>")
TO_BIOLOGY, TO_MATH = route_to("bio logy", "<nexa_0>"), route_to("math", "<nexa_1>")


def compiled(top: list[Any], sciences: list[Any], **workers: Any) -> Any:
    given: dict[NodeName, Worker] = {
        name: workers.get(name.replace(" ", "_")) or ScriptedWorker() for name in SPEC.workers
    }
    routes = {"top": top, "sciences": sciences, "math": [END_OF_WALK]}
    octopuses = {NodeName(name): ScriptedOctopus(decisions) for name, decisions in routes.items()}
    return build_graph(SPEC, octopuses=octopuses, workers=given).compile()


async def ask(graph: Any, messages: list[BaseMessage], **context: Any) -> Any:
    given = Generation(tools=(WEATHER,)) if "generation" not in context else context.pop("generation")
    return await graph.ainvoke({"messages": messages}, context=GraphContext(generation=given, **context))


def results(calls: list[ToolCall]) -> list[BaseMessage]:
    return [ToolMessage(f"sun {k}", tool_call_id=str(call["id"])) for k, call in enumerate(calls)]


@pytest.mark.parametrize(("leaf", "name"), [(TO_BIOLOGY, "bio logy"), (TO_MATH, "math")])
async def test_results_go_to_the_worker_that_called(leaf: Any, name: str) -> None:
    worker = ScriptedWorker([CALLING, SUN])
    graph = compiled([TO_SCIENCES, TO_LAW], [leaf, leaf], **{name.replace(" ", "_"): worker})
    question = HumanMessage("Is it sunny?")
    first = await ask(graph, [question])
    said = first["messages"][-1]
    assert isinstance(said, AIMessage)
    prefix = name.replace(" ", "_")
    assert [call["id"] for call in said.tool_calls] == [f"{prefix}__c1", f"{prefix}__c2"]
    assert [call["args"] for call in said.tool_calls] == [call["args"] for call in CALLS]
    second = await ask(graph, [question, said, *results(said.tool_calls)])
    assert second["messages"][-1].text == "Sun."
    assert [hop["node"] for hop in second["hops"] if hop["node"]] == [name]
    asked = worker.requests[1]
    assert asked.query == ("Bio: Is it sunny?" if name == "bio logy" else "Is it sunny?")
    called, *came = asked.since
    assert isinstance(called, AIMessage)
    assert [call["id"] for call in called.tool_calls] == ["c1", "c2"]
    assert [(one.tool_call_id, one.text) for one in came if isinstance(one, ToolMessage)] == [
        ("c1", "sun 0"),
        ("c2", "sun 1"),
    ]
    assert not asked.readings


async def test_results_of_a_call_with_another_id_are_routed_by_the_question() -> None:
    law = ScriptedWorker([SUN])
    graph = compiled([TO_LAW], [TO_MATH], law=law)
    await ask(graph, [HumanMessage("Is it sunny?"), CALLED, *results(CALLS)])
    assert len(law.requests[0].since) == 3


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [AIMessage("Hi")],
        [ToolMessage("x", tool_call_id="c1")],
        [HumanMessage("a"), ToolMessage("x", tool_call_id="c1")],
        [HumanMessage("a"), CALLED, ToolMessage("x", tool_call_id="c1")],
        [HumanMessage("a"), CALLED, *results(CALLS), ToolMessage("x", tool_call_id="c1")],
        [HumanMessage("a"), CALLED, *results(CALLS), AIMessage("Sun.")],
    ],
)
def test_a_turn_begins_with_a_question_or_all_results(messages: list[BaseMessage]) -> None:
    with pytest.raises(InputError):
        check_last(messages)


def test_what_does_not_go_with_tools_is_refused() -> None:
    with pytest.raises(ValidationError, match="experts"):
        GraphContext(experts=2, generation=Generation(tools=(WEATHER,)))
    with pytest.raises(ValidationError, match="reflection"):
        GraphContext(reflection="basic", generation=Generation(tools=(WEATHER,)))
    with pytest.raises(ValidationError, match="tool_choice"):
        Generation(tool_choice="required")


def failing(code: FailureCode) -> ScriptedWorker:
    return ScriptedWorker([WorkerAnswer("unavailable", "No.", failure=failure(code))])


@pytest.mark.parametrize("code", ["server_error", "empty_reply", "timeout"])
async def test_where_a_model_fails_the_generalist_is_asked_if_it_has_another(code: FailureCode) -> None:
    result = await ask(compiled([TO_LAW], [], law=failing(code)), [HumanMessage("Why?")])
    assert result["messages"][-1].text == "42"
    failed, answered = result["hops"]
    assert (failed["failure"], answered["failure"]) == (failure(code), None)
    assert (answered["node"], answered["status"]) == ("anyone", "answered")


async def test_the_same_model_is_not_asked_twice_and_the_reason_stays() -> None:
    graph = compiled([TO_SCIENCES], [TO_BIOLOGY], bio_logy=failing("timeout"))
    result = await ask(graph, [HumanMessage("Why?")])
    assert [hop["failure"] for hop in result["hops"]] == [failure("timeout")]


@pytest.mark.parametrize("code", ["declined", "no_model"])
async def test_what_is_not_the_fault_of_a_model_is_not_tried_again(code: FailureCode) -> None:
    result = await ask(compiled([TO_LAW], [], law=failing(code)), [HumanMessage("Why?")])
    assert [hop["failure"] for hop in result["hops"]] == [failure(code)]
