"""Mixture of specialists: experts and their vote, capacity, cost, escalation."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agents.errors import SpecError
from agents.reflection.worker import ModelJudge
from agents.types import Choice, Decision, FunctionalToken, NodeName, Worker, WorkerAnswer, WorkerRequest
from graphs.build import build_graph
from graphs.spec_file import parse_spec
from graphs.state import GraphContext
from tests.scripted import END_OF_WALK, ScriptedOctopus, ScriptedWorker, route_to

SPEC = parse_spec(
    """
masters: {m: {neighbours: [big, small, tiny]}}
workers:
  big: {description: x, price: {input: 10, output: 30}, size: 70, capacity: 2}
  small: {description: x, price: {input: 1, output: 1}, size: 7, template: "Small: {query}"}
  tiny: {description: x, price: {input: 0.1, output: 0.1}, size: 1, neighbours: [big], stronger: big}
"""
)


def to(node: str, **probabilities: float) -> Decision:
    slots = {"big": 0, "small": 1, "tiny": 2}
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    choices = tuple(Choice(FunctionalToken(f"<nexa_{slots[n]}>"), NodeName(n), p) for n, p in ranked)
    chosen = route_to(node, f"<nexa_{slots[node]}>", probability=probabilities[node], rewritten="why?")
    return replace(chosen, choices=choices, question="why?")


def says(text: str, tokens: int = 0) -> ScriptedWorker:
    return ScriptedWorker([WorkerAnswer("answered", text, {"usage": {"output_tokens": tokens}})])


def compiled(route: Decision, *, judge: ModelJudge | None = None, **workers: Any) -> Any:
    given: dict[NodeName, Worker] = {n: workers.get(n, says(n)) for n in SPEC.workers}
    octopuses = {NodeName("m"): ScriptedOctopus([route]), NodeName("tiny"): ScriptedOctopus([END_OF_WALK])}
    return build_graph(SPEC, octopuses=octopuses, workers=given, judge=judge).compile()


async def ask(graph: Any, **context: Any) -> Any:
    return await graph.ainvoke({"messages": [HumanMessage("why?")]}, context=GraphContext(**context))


UNSURE = to("big", big=0.4, small=0.35, tiny=0.25)


@pytest.mark.parametrize(
    ("answers", "winner"),
    [
        ({"big": "A", "small": "B", "tiny": "b."}, "B"),  # 0.35 + 0.25 over 0.4
        ({"big": "A", "small": "B", "tiny": "C"}, "A"),
    ],
)
async def test_experts_vote_with_their_probabilities(answers: dict[str, str], winner: str) -> None:
    experts: dict[str, Any] = {node: says(text) for node, text in answers.items()}
    graph = compiled(UNSURE, **experts)
    result = await ask(graph, experts=3, escalate_below=0)
    assert {hop["node"] for hop in result["hops"]} == {"big", "small", "tiny"}
    assert result["messages"][-1].text == winner
    assert any(hop["query"] == "Small: why?" for hop in result["hops"])


async def test_who_declines_has_no_vote() -> None:
    graph = compiled(UNSURE, big=ScriptedWorker([WorkerAnswer("declined", "Not me.")]), small=says("B"))
    assert (await ask(graph, experts=2))["messages"][-1].text == "B"


@pytest.mark.parametrize(("verdict", "winner"), [("2", "B"), ("no idea", "A")])
async def test_a_judge_decides_where_experts_disagree(verdict: str, winner: str) -> None:
    judge = ModelJudge(says(verdict))
    graph = compiled(UNSURE, judge=judge, big=says("A"), small=says("B"))
    assert (await ask(graph, experts=2, vote="judge"))["messages"][-1].text == winner


async def test_experts_stay_within_the_hops() -> None:
    result = await ask(compiled(UNSURE), experts=3, max_hops=2)
    assert len(result["hops"]) == 2


async def test_overflow_goes_to_the_next_choice_and_says_so() -> None:
    class Slow:
        running = most = 0

        async def answer(self, request: WorkerRequest) -> WorkerAnswer:
            self.running += 1
            self.most = max(self.most, self.running)
            await asyncio.sleep(0.2)
            self.running -= 1
            return WorkerAnswer("answered", "big")

    slow = Slow()
    graph = compiled(to("big", big=0.8, small=0.2), big=slow)
    results = await asyncio.gather(*(ask(graph) for _ in range(6)))
    hops = [result["hops"][0] for result in results]
    assert slow.most == 2
    assert sorted(hop["node"] for hop in hops) == ["big"] * 2 + ["small"] * 4
    moved = next(hop for hop in hops if hop["node"] == "small")
    assert moved["reason"].endswith("big is at its capacity of 2, so small takes it.")
    assert moved["query"] == "Small: why?"


@pytest.mark.parametrize(("policy", "node"), [("quality", "big"), ("balanced", "small"), ("cheap", "small")])
async def test_policies_choose_and_the_trace_shows_what_was_saved(policy: str, node: str) -> None:
    graph = compiled(to("big", big=0.5, small=0.4), big=says("x", 1000), small=says("x", 1000))
    result = await ask(graph, policy=policy)
    (hop,) = result["hops"]
    assert hop["node"] == node
    cost, saved = (0.03, 0.0) if node == "big" else (0.001, 0.029)
    assert (hop["cost"], hop["saved"]) == (pytest.approx(cost), pytest.approx(saved))
    assert result["messages"][-1].additional_kwargs["cost"] == pytest.approx(cost)
    if node == "small":
        assert hop["reason"].endswith(f"Policy {policy}: small costs less than big.")


@pytest.mark.parametrize(
    ("answer", "probability", "why"),
    [
        (WorkerAnswer("declined", "?"), 0.9, "it could not answer"),
        (WorkerAnswer("answered", "?", {"verdict": "failed"}), 0.9, "its answer was found wrong"),
        (WorkerAnswer("answered", "?"), 0.1, "its probability was only 0.10"),
        (WorkerAnswer("answered", "?"), 0.9, ""),
    ],
)
async def test_a_weak_answer_escalates(answer: WorkerAnswer, probability: float, why: str) -> None:
    graph = compiled(to("tiny", tiny=probability), tiny=ScriptedWorker([answer]), big=says("Strong."))
    result = await ask(graph)
    assert [hop["node"] for hop in result["hops"]] == (["tiny", "big"] if why else ["tiny"])
    if why:
        assert result["messages"][-1].text == "Strong."
        assert result["hops"][1]["reason"] == f"tiny hands over to big, which is stronger: {why}."


def test_a_stronger_worker_is_a_neighbour() -> None:
    with pytest.raises(SpecError, match="stronger 'b' of 'a' is not one of its neighbours"):
        parse_spec(
            "masters: {m: {neighbours: [a, b]}}\n"
            "workers: {a: {description: x, stronger: b}, b: {description: x}}"
        )


async def test_a_rewrite_that_loses_something_is_bypassed() -> None:
    route = route_to("small", "<nexa_1>", rewritten="How far is it?")
    graph = compiled(route)
    result = await graph.ainvoke({"messages": [HumanMessage("How far is 20 km?")]})
    (hop,) = result["hops"]
    assert (hop["query"], hop["rewrite"]) == ("How far is 20 km?", "bypassed")
    assert hop["reason"].endswith("Its rewrite lost '20', 'km', so the original was sent.")
