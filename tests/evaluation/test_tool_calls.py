"""Calls of a scripted model, on rows in the form of the leaderboard: what is lost is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.errors import InputError
from evaluation.report import Report
from evaluation.tool_calls import Kept, calls_of, evaluate_calls, result_of, rows_in


def function(name: str, **types: Any) -> dict[str, Any]:
    properties = {
        key: {"type": kind, "description": f"The {key}."} if isinstance(kind, str) else kind
        for key, kind in types.items()
    }
    parameters = {"type": "dict", "properties": properties, "required": list(types)}
    return {"name": name, "description": f"Computes the {name}.", "parameters": parameters}


def row(functions: list[dict[str, Any]], *calls: str) -> dict[str, Any]:
    asked = [[{"role": "user", "content": "How long, how wide, and how heavy is it?"}]]
    return {"id": "own_0", "question": asked, "function": functions, "ground_truth": list(calls)}


LENGTH = function("thing.length", edges={"type": "array", "items": {"type": "float"}}, unit="string")
WEIGHT = function("weight", mass="float", pull="integer")
MATRIX = function("matrix", rows={"type": "array", "items": {"type": "integer"}})
MANY = [f"weight(mass={n}.5, pull={n})" for n in range(9)]
ROWS = {
    "parallel": [row([WEIGHT], *MANY), row([WEIGHT], "weight(mass=1, pull=2)", "weight(mass=1, pull=2)")],
    "several": [
        row(
            [WEIGHT, LENGTH],
            "thing.length(edges=(1.5, -2), unit='\"m\" {é} </tool_call>')",
            "weight(mass=-1e9, pull=0)",
            "thing.length(edges=[], unit='')",
        )
    ],
    "against their schema": [row([MATRIX], "matrix(rows=[[1, 2], [3, 4]])")],
}


def test_no_call_argument_or_order_is_lost_in_either_way() -> None:
    report = evaluate_calls(ROWS)
    for way in ("parsed", "written"):
        assert report.figures[f"parallel, {way}"] == {
            "rows": 2, "calls": 11, "made": 11, "refused": 0, "in_order": 2, "answered": 2,
        }  # fmt: skip
        assert report.figures[f"several, {way}"]["made"] == 3
        assert report.figures[f"several, {way}"]["in_order"] == 1
        refused = report.figures[f"against their schema, {way}"]
        assert (refused["made"], refused["refused"], refused["in_order"]) == (0, 1, 1)
    assert "| parallel, written | 2 | 11 | 11 | 0 | 2 | 2 |" in report.markdown


def test_what_is_lost_changed_added_or_out_of_order_is_counted() -> None:
    asked = row([WEIGHT], "weight(mass=1, pull=1)", "weight(mass=2, pull=2)")
    first, second = calls_of(asked)
    results = [result_of(first), result_of(second)]

    def counted(*seen: Any) -> tuple[int, int, int]:
        kept = Kept()
        kept.count(asked, *seen)
        return kept.made, kept.in_order, kept.answered

    assert counted([second, first], results, " ".join(results)) == (2, 1, 1)
    assert counted([first], results, results[0]) == (1, 1, 0)
    assert counted([first, first], results[:1], "") == (0, 0, 0)
    assert counted([first, second, second], results[::-1], " ".join(results)) == (1, 0, 1)
    assert counted([first, ("weight", {"mass": 2, "pull": 3})], results, "") == (0, 1, 0)


def test_rows_are_read_from_files_and_broken_ones_named(tmp_path: Path) -> None:
    (tmp_path / "bfcl").mkdir()
    assert rows_in(tmp_path) == {}
    assert evaluate_calls({}) == Report("calls", "", {})
    path = tmp_path / "bfcl" / "exec_simple_own.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in ROWS["several"]))
    assert [one["id"] for one in rows_in(tmp_path)["exec_simple_own"]] == ["own_0"]
    for truth in (["weight(1, 2)"], ["no call"], ["weight(mass=open('x'), pull=1)"], 3):
        with pytest.raises(InputError, match="'own_0' has no readable `ground_truth`"):
            calls_of(row([WEIGHT]) | {"ground_truth": truth})
    with pytest.raises(InputError, match="no readable `function`"):
        evaluate_calls(
            {"bad": [row([WEIGHT], "weight(mass=1, pull=1)") | {"function": [{"name": "weight"}]}]}
        )
