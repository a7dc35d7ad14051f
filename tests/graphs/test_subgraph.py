"""A worker that is a graph of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agents.errors import SpecError
from agents.types import NodeName, Worker
from app.settings import Settings
from graphs.assembly import assemble, find_spec
from graphs.build import SubgraphWorker, build_graph
from graphs.spec_file import parse_spec
from graphs.state import GraphContext
from tests.scripted import ABSTAIN, ScriptedOctopus, ScriptedWorker, route_to

ONE = parse_spec("masters: {m: {neighbours: [w]}}\nworkers: {w: {description: x}}\n")
M, W = NodeName("m"), NodeName("w")


def nested(inner: ScriptedOctopus, worker: Worker, context: GraphContext | None = None) -> Any:
    below = build_graph(ONE, octopuses={M: inner}, workers={W: worker}).compile()
    master = ScriptedOctopus([route_to("w", "<nexa_0>")])
    graph = build_graph(ONE, octopuses={M: master}, workers={W: SubgraphWorker(below, context)})
    return graph.compile(checkpointer=InMemorySaver())


THREAD: Any = {"configurable": {"thread_id": "t"}}


async def test_it_answers_with_what_its_graph_answers() -> None:
    graph = nested(ScriptedOctopus([route_to("w", "<nexa_0>")]), ScriptedWorker())
    result = await graph.ainvoke({"messages": [HumanMessage("?")]}, THREAD)
    (hop,) = result["hops"]
    assert (hop["status"], hop["answer"]) == ("answered", "42")
    assert [inner["answer"] for inner in hop["evidence"]["hops"]] == ["42"]


async def test_a_question_to_the_user_comes_up_through_it() -> None:
    graph = nested(ScriptedOctopus([ABSTAIN]), ScriptedWorker(), GraphContext(ask_user=True))
    asked = await graph.ainvoke({"messages": [HumanMessage("?")]}, THREAD)
    assert asked["__interrupt__"][0].value["kind"] == "ask"
    result = await graph.ainvoke(Command(resume="w"), THREAD)
    assert result["messages"][-1].text == "42"


async def test_a_killed_run_resumes_inside_it() -> None:
    inner = ScriptedOctopus([route_to("w", "<nexa_0>")])
    graph = nested(inner, ScriptedWorker([ConnectionError("killed"), *ScriptedWorker().answers]))
    with pytest.raises(ConnectionError):
        await graph.ainvoke({"messages": [HumanMessage("?")]}, THREAD, durability="sync")
    result = await graph.ainvoke(None, THREAD, durability="sync")
    assert result["messages"][-1].text == "42"
    assert len(inner.seen) == 1


async def test_the_spec_names_it(tmp_path: Path) -> None:
    spec = tmp_path / "outer.yaml"
    spec.write_text(
        "masters: {m: {neighbours: [exam, chess]}}\nworkers:\n"
        "  exam: {description: 'Answers questions of school and university, mathematics too.', graph: mmlu}\n"
        "  chess: {description: 'Plays chess.'}\n"
    )
    assembly = assemble(find_spec(str(spec)), Settings.read())
    try:
        question = HumanMessage("What is the derivative of x^3 at x = 2?")
        result = await assembly.graph().compile().ainvoke({"messages": [question]})
    finally:
        assembly.close()
    assert result["hops"][0]["node"] == "exam"
    assert result["messages"][-1].text.startswith("12")


def test_a_graph_within_itself_is_refused(tmp_path: Path) -> None:
    spec = tmp_path / "snake.yaml"
    spec.write_text("masters: {m: {neighbours: [w]}}\nworkers: {w: {description: x, graph: snake.yaml}}\n")
    with pytest.raises(SpecError, match=r"'snake\.yaml' contains itself"):
        assemble(find_spec(str(spec)), Settings.read()).graph()
