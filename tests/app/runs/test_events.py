"""What is told of the updates and pieces that LangGraph reports."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langgraph.types import Interrupt

from agents.types import Hop, NodeName, WorkerAnswer
from app.runs.events import Answered, Decided, Ended, Hopped, Watch, Written, worded
from graphs.traversal import executed, stop

LAST = frozenset({"math"})


def planned(node: str = "math", **changes: Any) -> Hop:
    hop = stop("octopus", f"{node} fits.")
    return {**hop, "node": node, "token": "<nexa_4>", **changes}  # type: ignore[typeddict-item]


def done(node: str = "math", text: str = "42", **changes: Any) -> Hop:
    hop = executed(planned(node), WorkerAnswer("answered", text))
    return {**hop, **changes}  # type: ignore[typeddict-item]


def watch(*hops: Hop, parallel: bool = False) -> Watch:
    return Watch(LAST, list(hops), parallel)


def said(text: str) -> tuple[AIMessageChunk, dict[str, Any]]:
    return AIMessageChunk(content=text), {"langgraph_node": "math", "langgraph_checkpoint_ns": "math:1"}


def test_a_decision_a_hop_and_the_answer_in_their_order() -> None:
    own = watch()
    events = [*own.update({"octopus": {"planned": [planned()]}}), *own.update({"math": {"hops": [done()]}})]
    events += own.update({"answer": {"messages": [AIMessage("42")]}})
    assert [type(event) for event in events] == [Decided, Hopped, Answered]
    assert isinstance(events[-1], Answered)
    assert (events[-1].text, events[-1].path, events[-1].status) == ("42", ["math"], "answered")
    assert list(own.end()) == []


def test_each_of_several_planned_hops_is_a_decision() -> None:
    events = list(watch().update({"octopus": {"planned": [planned(), planned("law")]}}))
    assert [event.decision["node"] for event in events if isinstance(event, Decided)] == ["math", "law"]


def test_the_end_of_a_walk_is_told_with_its_reason_and_the_opening_of_a_turn_is_not() -> None:
    own = watch()
    assert list(own.update({"guard": {"planned": [stop("", "")]}})) == []
    (event,) = own.update({"math": {"planned": [stop("math", "The budget is used up.")]}})
    assert isinstance(event, Ended)
    assert event.decision["reason"] == "The budget is used up."


def test_what_is_no_update_is_passed_over() -> None:
    assert list(watch().update({"math.answer": ({"status": "answered"}, 0.1), "other": None})) == []


def test_pieces_are_told_once_and_the_rest_with_the_answer() -> None:
    own = watch()
    pieces = [*own.piece(*said("The answer")), *own.piece(*said("")), *own.piece(*said(" is"))]
    assert pieces == [Written("The answer"), Written(" is")]
    (answered,) = own.update({"answer": {"messages": [AIMessage("The answer is 42.")]}})
    assert isinstance(answered, Answered)
    assert (answered.text, answered.rest) == ("The answer is 42.", " 42.")


def test_an_answer_other_than_what_was_written_follows_it() -> None:
    own = watch()
    assert list(own.piece(*said("Let me th")))
    (answered,) = own.update({"answer": {"messages": [AIMessage("No answer within 2 seconds.")]}})
    assert isinstance(answered, Answered)
    assert answered.rest == "\n\nNo answer within 2 seconds."


def test_words_that_may_not_be_the_answer_are_not_written() -> None:
    chunk, own = AIMessageChunk(content="Draft"), watch()
    inside = {"langgraph_node": "math", "langgraph_checkpoint_ns": "math:1|reflect:2"}
    other = {"langgraph_node": "law", "langgraph_checkpoint_ns": "law:1"}
    assert [*own.piece(chunk, inside), *own.piece(chunk, other), *own.piece(HumanMessage("?"), other)] == []
    assert list(watch(parallel=True).piece(*said("mixed"))) == []
    assert list(own.update({"octopus": {"planned": [planned(), planned("law")]}}))
    assert list(own.piece(*said("mixed"))) == []


def test_a_run_that_waits_says_what_it_asks() -> None:
    own = watch(done())
    step = {"master": "octopus", "node": "law", "token": "<nexa_8>", "query": "May I?"}
    interrupt = Interrupt({"kind": "approve", "steps": [step]}, id="one")
    assert list(own.update({"__interrupt__": (interrupt,)})) == []
    (answered,) = own.end()
    assert isinstance(answered, Answered)
    assert answered.status == "asked"
    assert answered.asked[0]["id"] == "one"
    assert answered.hops == [done()]
    assert "octopus → <nexa_8> law: May I?" in answered.text and "[y/n/another node]" in answered.text


def test_an_answer_sums_up_its_hops() -> None:
    hops = [done(probability=0.9, tokens=10, cost=0.5), done("law", probability=0.5, tokens=5, cost=0.25)]
    answered = Answered("42", hops)
    assert (answered.probability, answered.tokens, answered.cost) == (0.45, 15, 0.75)
    assert answered.path == ["math", "law"]
    declined = Answered("no", [executed(planned(NodeName("math")), WorkerAnswer("declined", "no"))])
    assert (declined.status, declined.reason) == ("declined", "math fits.")


def test_a_question_to_a_person_lists_the_likeliest_choices() -> None:
    choices = [{"node": f"n{k}", "token": f"<nexa_{k}>", "probability": 0.3 / (k + 1)} for k in range(9)]
    asked = {"kind": "ask", "reason": "Nobody fits.", "choices": choices, "error": "'x' is no node."}
    text, prompt = worded(asked)
    assert text.splitlines()[:2] == ["'x' is no node.", "Nobody fits."]
    assert "n0 (0.30)" in text and "n4" in text and "n5" not in text
    assert prompt
