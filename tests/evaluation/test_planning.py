"""Test planning on a small task graph of our own, and its commands."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agents.types import NodeName
from app.cli import cli
from evaluation.planning import Unmasked, measure_paths, path_row, random_walk
from tests.evaluation.exam import write_rows
from tests.planning import NEIGHBOURS, ROWS, SPEC, kitchen


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kitchen") / "kitchen.yaml"
    path.write_text(SPEC)
    return path


def test_rows_of_the_task_become_training_rows() -> None:
    row = {
        "user_request": "Buy and cook.",
        "task_nodes": [{"task": "buy_food"}, {"task": "cook_dish"}],
        "task_steps": ["Step 1 Call buy_food to buy leeks", "Then cook", "Step 3 Call garage to park"],
    }
    assert path_row(row) == {
        "query": "Buy and cook.",
        "path": ["buy_food", "cook_dish"],
        "steps": [{"node": "buy_food", "text": "buy leeks"}],
    }


def test_made_up_nodes_and_links_are_counted() -> None:
    found = [(NodeName("garage"), NodeName("wash_up")), (NodeName("buy_food"), NodeName("cook_dish"))]
    gold = [(NodeName("wash_up"),), (NodeName("buy_food"), NodeName("cook_dish"))]
    metrics = measure_paths(found, gold, kitchen())
    assert (metrics.hallucinated_nodes, metrics.hallucinated_links) == (1, 1)
    assert metrics.node_f1.mean == pytest.approx((2 / 3 + 1) / 2)
    assert metrics.exact.mean == 0.5


def test_chance_stays_on_the_graph_and_without_the_mask_anything_goes() -> None:
    graph = kitchen()
    for path in random_walk(graph, 50):
        assert path
        assert all(b in NEIGHBOURS[a] for a, b in pairwise(path))
    free = Unmasked(graph.nodes, graph.neighbours, graph.stops, graph.entry)
    assert len(free.candidates(1, (1,))) == len(NEIGHBOURS) + 1


def test_train_plan_and_evaluate(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTOPUS_HOME", str(tmp_path / "home"))

    def octopus(*arguments: object) -> str:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.exception
        return result.output

    write_rows(tmp_path / "rows.jsonl.gz", [*ROWS, {"query": "x", "path": ["wash_up", "set_timer"]}])
    out = tmp_path / "artifact"
    said = octopus("train", "router", "--graph", spec, "--paths", tmp_path / "rows.jsonl.gz", "--out", out)
    assert "36 paths (1 left out: they leave the graph)" in said

    asked: list[dict[str, Any]] = [
        {"query": "Find a recipe for pea soup, then cook it.", "id": 7},
        {"query": " "},
    ]
    write_rows(tmp_path / "in.jsonl.gz", asked)
    given = ("--graph", spec, "--artifact", out, "--input", tmp_path / "in.jsonl.gz", "--output")
    octopus("plan", *given, tmp_path / "o")
    good, bad = map(json.loads, (tmp_path / "o").read_text(encoding="utf-8").splitlines())
    assert good["path"] == ["find_recipe", "cook_dish"]
    assert good["id"] == 7
    assert 0 < good["probability"] <= 1
    assert bad["path"] == []
    assert "empty" in bad["reason"]

    octopus("route", *given, tmp_path / "r")
    assert json.loads((tmp_path / "r").read_text(encoding="utf-8").splitlines()[0])["node"] == "find_recipe"

    test = [
        {"user_request": row["query"], "task_nodes": [{"task": n} for n in row["path"]], "task_links": []}
        for row in ROWS[:6]
    ]
    write_rows(tmp_path / "ultratool" / "test_a.jsonl.gz", test)
    monkeypatch.setattr("evaluation.planning.decision_ratios", dict)
    said = octopus(
        "eval", "planning", "--graph", spec, "--artifact", out, "--data", tmp_path, "--output", tmp_path
    )
    assert "| **Octopus** | 100.0" in said
    assert json.loads((tmp_path / "planning.json").read_text())["rows"] == 6


def test_rows_or_paths(spec: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["train", "router", "--graph", str(spec), "--out", str(tmp_path)])
    assert "either --rows or --paths" in str(result.exception)
