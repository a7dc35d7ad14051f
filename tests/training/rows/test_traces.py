"""Turn what users and verifiers say about runs into rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.errors import InputError
from training.rows.traces import TraceRows, read_traces, rows_from

NODES = ("math", "law")


def run(turn: str, question: str, *hops: dict[str, Any]) -> dict[str, Any]:
    return {"turn": turn, "graph": "g", "question": question, "hops": list(hops)}


def hop(node: str, query: str, answer: str, **more: Any) -> dict[str, Any]:
    return {"master": "octopus", "node": node, "query": query, "status": "answered", "answer": answer} | more


def said(turn: str, **feedback: Any) -> dict[str, Any]:
    return {"turn": turn, "feedback": feedback}


def learn(tmp_path: Path, *rows: dict[str, Any], keep_out: tuple[str, ...] = ()) -> TraceRows:
    path = tmp_path / "traces.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return rows_from(read_traces([path]), NODES, master="octopus", keep_out=keep_out)


def test_a_liked_run_teaches_route_and_answer(tmp_path: Path) -> None:
    found = learn(tmp_path, run("a", "1+1?", hop("math", "1+1?", "2")), said("a", score=1))
    assert [(row.query, row.node, row.weight) for row in found.router] == [("1+1?", "math", 1.0)]
    assert found.sft == {"math": [{"prompt": "1+1?", "completion": "2"}]}


def test_a_disliked_run_teaches_no_route(tmp_path: Path) -> None:
    found = learn(tmp_path, run("a", "1+1?", hop("law", "1+1?", "2")), said("a", score=-1))
    assert not found.router and not found.sft
    assert found.counts["nothing said of the route"] == 1


def test_a_named_node_is_the_right_one(tmp_path: Path) -> None:
    rows = [run(t, f"q{t}", hop("law", f"q{t}", "x")) for t in "abc"]
    words = [said("a", score=-1, node="math"), said("b", score=-1, node=None), said("c", score=-1, node="x")]
    found = learn(tmp_path, *rows, *words)
    assert [(row.query, row.node) for row in found.router] == [("qa", "math"), ("qb", None)]
    assert found.counts["unknown node"] == 1


def test_a_better_answer_is_learnt_and_preferred(tmp_path: Path) -> None:
    found = learn(tmp_path, run("a", "q", hop("math", "q", "bad")), said("a", score=-1, answer="good"))
    assert found.sft["math"] == [{"prompt": "q", "completion": "good"}]
    assert found.dpo["math"] == [{"prompt": "q", "chosen": "good", "rejected": "bad"}]


def test_two_runs_of_a_query_make_a_pair(tmp_path: Path) -> None:
    rows = [run("a", "q", hop("math", "q", "good")), run("b", "q", hop("math", "q", "bad"))]
    found = learn(tmp_path, *rows, said("a", score=1), said("b", score=-1))
    assert found.dpo["math"] == [{"prompt": "q", "chosen": "good", "rejected": "bad"}]


def test_a_verifier_speaks_of_answers_and_drafts(tmp_path: Path) -> None:
    drafts = [{"text": "3", "passed": False}, {"text": "2", "passed": True}]
    found = learn(tmp_path, run("a", "1+1?", hop("math", "1+1?", "2", verdict="passed", drafts=drafts)))
    assert found.router[0].weight < 1
    assert found.sft["math"] == [{"prompt": "1+1?", "completion": "2"}]
    assert found.dpo["math"] == [{"prompt": "1+1?", "chosen": "2", "rejected": "3"}]


def test_a_compound_question_teaches_no_route(tmp_path: Path) -> None:
    found = learn(
        tmp_path, run("a", "q and r", hop("math", "q", "1"), hop("law", "r", "2")), said("a", score=1)
    )
    assert not found.router and set(found.sft) == {"math", "law"}


def test_questions_of_the_gate_are_not_learnt(tmp_path: Path) -> None:
    rows = [run("a", "One plus  one?", hop("math", "q", "2")), said("a", score=1)]
    found = learn(tmp_path, *rows, keep_out=("one plus one?",))
    assert not found.router and not found.sft and found.counts["of the gate"] == 1


def test_other_rows_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"traces.jsonl:1: neither"):
        learn(tmp_path, {"query": "x"})
