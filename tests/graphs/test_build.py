"""GraphSpec → LangGraph graph: tokens on edges, budgets, resumption, a graph within a graph."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import ValidationError

from agents.errors import InputError, RoutingError, SpecError
from agents.types import Decision, NodeName, Worker, WorkerAnswer, WorkerRequest
from agents.workers.callables import as_worker
from graphs.build import Graph, build_graph
from graphs.spec_file import parse_spec
from graphs.state import GraphContext, GraphInput
from tests.scripted import ABSTAIN, END_OF_WALK, ScriptedOctopus, ScriptedWorker, route_to

SPEC = parse_spec(
    """
name: small
masters:
  chief:
    neighbours: {math: <nexa_4>, sage: <nexa_0>}
workers:
  math: {description: Sums.}
  sage: {description: Advice., neighbours: [math], sends: conversation}
"""
)
CHIEF, MATH, SAGE = (NodeName(name) for name in ("chief", "math", "sage"))
TO_MATH, TO_SAGE = route_to("math", "<nexa_4>"), route_to("sage", "<nexa_0>")
DECLINED = WorkerAnswer("declined", "Not for me.")


def small_graph(
    *routes: Decision,
    math: Worker | None = None,
    sage: Worker | None = None,
    from_sage: Decision | None = None,
) -> Graph:
    return build_graph(
        SPEC,
        octopuses={
            CHIEF: ScriptedOctopus(list(routes) or [TO_MATH]),
            SAGE: ScriptedOctopus([from_sage or route_to("math", "<nexa_0>")]),
        },
        workers={MATH: math or ScriptedWorker(), SAGE: sage or ScriptedWorker()},
    )


def question(text: str) -> GraphInput:
    return {"messages": [HumanMessage(text)]}


def test_the_keys_of_the_path_maps_are_the_tokens() -> None:
    branches = small_graph().branches
    assert dict(branches["chief"]["next_token"].ends or {}) == {
        "<nexa_4>": "math",
        "<nexa_0>": "sage",
        "<nexa_end>": "answer",
    }
    assert dict(branches["sage"]["next_token"].ends or {}) == {"<nexa_0>": "math", "<nexa_end>": "answer"}


def test_the_drawing_carries_the_tokens() -> None:
    mermaid = small_graph().compile().get_graph().draw_mermaid()
    for source, token, target in SPEC.edges:
        assert f"{source} -. &nbsp;{token}&nbsp; .-> {target}" in mermaid
    assert "chief -. &nbsp;<nexa_end>&nbsp; .-> answer" in mermaid


def test_the_schemas_are_narrow() -> None:
    compiled = small_graph().compile()
    assert set(compiled.get_input_jsonschema()["properties"]) == {"messages"}
    assert set(compiled.get_output_jsonschema()["properties"]) == {"messages", "hops"}
    assert set((compiled.get_context_jsonschema() or {})["properties"]) == set(GraphContext.model_fields)


async def test_a_turn_gives_messages_and_one_hop_in_json() -> None:
    worker = ScriptedWorker()
    route = route_to("math", "<nexa_4>", rewritten="Sum: 6 times 7?")
    result = await small_graph(route, math=worker).compile().ainvoke(question("6 times 7?"))
    assert set(result) == {"messages", "hops"}
    assert [message.text for message in result["messages"]] == ["6 times 7?", "42"]
    assert result["messages"][-1].name == "math"
    (hop,) = result["hops"]
    assert (hop["master"], hop["token"], hop["node"]) == ("chief", "<nexa_4>", "math")
    assert (hop["probability"], hop["calibrated"], hop["query"]) == (0.9, True, "Sum: 6 times 7?")
    assert (hop["status"], hop["answer"], hop["evidence"]) == ("answered", "42", {"by": "script"})
    assert json.loads(json.dumps(hop)) == hop
    assert worker.requests[0].query == "Sum: 6 times 7?"


async def test_abstaining_is_an_answer() -> None:
    result = await small_graph(ABSTAIN).compile().ainvoke(question("?"))
    assert result["messages"][-1].text == "Nothing fits. Say more."
    assert [(hop["token"], hop["status"]) for hop in result["hops"]] == [("<nexa_end>", "declined")]


async def test_a_worker_with_neighbours_hands_on_what_it_cannot_answer() -> None:
    compiled = small_graph(TO_SAGE, sage=ScriptedWorker([DECLINED])).compile()
    result = await compiled.ainvoke(question("6 times 7?"))
    assert [(hop["master"], hop["node"]) for hop in result["hops"]] == [("chief", "sage"), ("sage", "math")]
    assert result["messages"][-1].text == "42"


async def test_its_answer_stands_when_its_octopus_ends_the_walk() -> None:
    result = await small_graph(TO_SAGE, from_sage=END_OF_WALK).compile().ainvoke(question("advice?"))
    assert [hop["node"] for hop in result["hops"]] == ["sage"]


async def test_hops_are_bounded() -> None:
    loop = parse_spec(
        """
masters: {m: {neighbours: [a]}}
workers: {a: {description: x, neighbours: [b]}, b: {description: x, neighbours: [a]}}
"""
    )
    declining = ScriptedWorker([DECLINED])
    graph = build_graph(
        loop,
        octopuses={
            NodeName("m"): ScriptedOctopus([route_to("a", "<nexa_0>")]),
            NodeName("a"): ScriptedOctopus([route_to("b", "<nexa_0>")]),
            NodeName("b"): ScriptedOctopus([route_to("a", "<nexa_0>")]),
        },
        workers={NodeName("a"): declining, NodeName("b"): declining},
    )
    result = await graph.compile().ainvoke(question("?"), context=GraphContext(max_hops=5))
    assert [hop["node"] for hop in result["hops"]] == ["a", "b", "a", "b", "a"]


@pytest.mark.parametrize(
    "context",
    [
        {"max_hops": 0},
        {"max_hops": 101},
        {"timeout": 0},
        {"colour": "red"},
        {"reflection": "deep"},
        {"reflection_rounds": 0},
        {"reflection_tokens": 0},
        {"reflection_seconds": -1},
    ],
)
async def test_a_bad_context_is_refused(context: Any) -> None:
    with pytest.raises(ValidationError, match=next(iter(context))):
        await small_graph().compile().ainvoke(question("?"), context=context)


async def test_a_slow_worker_is_stopped() -> None:
    class Slow:
        async def answer(self, request: WorkerRequest) -> WorkerAnswer:
            await asyncio.sleep(60)
            raise AssertionError("never")

    compiled = small_graph(math=Slow()).compile()
    result = await compiled.ainvoke(question("?"), context=GraphContext(timeout=0.05))
    assert result["hops"][0]["status"] == "unavailable"
    assert result["messages"][-1].text == "No answer within 0.05 seconds."


@pytest.mark.parametrize("token", ["<nexa_1>", "math", "answer", "__end__"])
async def test_a_token_that_is_not_an_edge_away_is_an_error(token: str) -> None:
    with pytest.raises(Exception, match=token):
        await small_graph(route_to("math", token)).compile().ainvoke(question("?"))


async def test_a_node_without_a_token_is_an_error() -> None:
    half = Decision(MATH, None, 0.5, "", "", "token", True, ())
    with pytest.raises(RoutingError, match="'chief' gave node 'math' with token None"):
        await small_graph(half).compile().ainvoke(question("?"))


@pytest.mark.parametrize("messages", [[], [AIMessage("I begin.")], [HumanMessage("?"), AIMessage("!")]])
async def test_the_last_message_must_be_the_users(messages: list[Any]) -> None:
    with pytest.raises(InputError, match="must be from the user"):
        await small_graph().compile().ainvoke({"messages": messages})


async def test_a_killed_run_resumes_at_its_worker() -> None:
    master = ScriptedOctopus([TO_MATH])
    worker = ScriptedWorker([ConnectionError("killed"), WorkerAnswer("answered", "42")])
    graph = build_graph(
        SPEC,
        octopuses={CHIEF: master, SAGE: ScriptedOctopus([TO_MATH])},
        workers={MATH: worker, SAGE: ScriptedWorker()},
    )
    compiled = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    with pytest.raises(ConnectionError, match="killed"):
        await compiled.ainvoke(question("6 times 7?"), config, durability="sync")
    result = await compiled.ainvoke(None, config, durability="sync")
    assert result["messages"][-1].text == "42"
    assert len(master.seen) == 1
    first, second = worker.requests
    assert first.idempotency_key == second.idempotency_key
    assert first.idempotency_key.endswith(":1:math")


async def test_a_thread_remembers_and_hops_are_of_the_last_turn() -> None:
    master, sage = ScriptedOctopus([TO_MATH, TO_SAGE]), ScriptedWorker()
    math = ScriptedWorker()
    graph = build_graph(
        SPEC,
        octopuses={CHIEF: master, SAGE: ScriptedOctopus([ABSTAIN])},
        workers={MATH: math, SAGE: sage},
    )
    compiled = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    await compiled.ainvoke(question("one"), config)
    result = await compiled.ainvoke(question("two"), config)
    assert [hop["node"] for hop in result["hops"]] == ["sage"]
    assert master.seen[1] == ["one", "42", "two"]
    assert math.requests[0].conversation == ()
    assert [message.text for message in sage.requests[0].conversation] == ["one", "42"]


async def test_the_graph_is_a_node_of_another_graph() -> None:
    outer = StateGraph(MessagesState)
    outer.add_node("octopus_graph", small_graph().compile())
    outer.add_edge(START, "octopus_graph")
    outer.add_edge("octopus_graph", END)
    compiled = outer.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    result = await compiled.ainvoke({"messages": [HumanMessage("6 times 7?")]}, config)
    assert [message.text for message in result["messages"]] == ["6 times 7?", "42"]
    again = await compiled.ainvoke({"messages": [HumanMessage("again")]}, config)
    assert [message.text for message in again["messages"]] == ["6 times 7?", "42", "again", "42"]


def test_a_missing_octopus_or_worker_is_named() -> None:
    octopus, worker = ScriptedOctopus([TO_MATH]), ScriptedWorker()
    with pytest.raises(SpecError, match="node 'sage' has neighbours but no Octopus"):
        build_graph(SPEC, octopuses={CHIEF: octopus}, workers={MATH: worker, SAGE: worker})
    with pytest.raises(SpecError, match="no worker was given for node 'sage'"):
        build_graph(SPEC, octopuses={CHIEF: octopus, SAGE: octopus}, workers={MATH: worker})


async def test_tools_get_the_question_without_the_template() -> None:
    worker = ScriptedWorker()
    route = replace(TO_MATH, rewritten="As a teacher: 6 times 7?", question="6 times 7?")
    await small_graph(route, math=worker).compile().ainvoke(question("6 times 7?"))
    (request,) = worker.requests
    assert (request.query, request.readings) == ("As a teacher: 6 times 7?", ["6 times 7?"])


@pytest.mark.parametrize("sends", ["conversation", "query"])
async def test_a_follow_up_is_sent_with_what_it_refers_to_or_the_conversation(sends: str) -> None:
    """Once, and a worker with the conversation gets the turn in the user's own words."""
    spec = parse_spec(
        f"""
name: small
masters:
  chief: {{neighbours: [math]}}
workers:
  math: {{description: Sums., template: "Sum: {{query}}", sends: {sends}}}
"""
    )
    worker = ScriptedWorker()
    route = replace(
        route_to("math", "<nexa_0>"), rewritten="Sum: and 8?", question="and 8?", refers_to="6 times 7?"
    )
    graph = build_graph(spec, octopuses={CHIEF: ScriptedOctopus([route])}, workers={MATH: worker})
    talk: list[AnyMessage] = [
        HumanMessage("6 times 7?"),
        AIMessage("42", name="math"),
        HumanMessage("and 8?"),
    ]
    found = await graph.compile().ainvoke(GraphInput(messages=talk))
    (request,) = worker.requests
    carried = "Sum: and 8?\n\n[Follow-up to: 6 times 7?]"
    if sends == "conversation":
        assert (request.query, [one.text for one in request.conversation]) == (
            "Sum: and 8?",
            ["6 times 7?", "42"],
        )
    else:
        assert (request.query, request.conversation) == (carried, ())
    assert found["hops"][0]["query"] == request.query


async def test_a_function_is_told_what_a_follow_up_refers_to() -> None:
    """It takes text only, whatever the spec says."""
    given: list[str] = []

    def add(text: str) -> str:
        given.append(text)
        return "50"

    route = replace(TO_MATH, rewritten="and 8?", question="and 8?", refers_to="6 times 7?")
    graph = small_graph(route, math=as_worker(add, "math"))
    talk: list[AnyMessage] = [
        HumanMessage("6 times 7?"),
        AIMessage("42", name="math"),
        HumanMessage("and 8?"),
    ]
    await graph.compile().ainvoke(GraphInput(messages=talk))
    assert given == ["and 8?\n\n[Follow-up to: 6 times 7?]"]
