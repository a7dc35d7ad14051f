"""Test `octopus eval` through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.errors import InputError
from app.commands.evaluate import cli


def test_tools_are_measured_beside_the_cosine(data: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["tools", "--data", str(data), "--output", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "| cosine |" in result.output
    figures = json.loads((tmp_path / "tools.json").read_text())
    assert figures["Octopus, zero-shot"]["choice"]["accuracy"] == 1.0
    assert figures["Octopus, zero-shot"]["choice"]["irrelevant"] == 1


@pytest.mark.usefixtures("few_rows")
def test_routing_runs_without_other_routers(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTOPUS_HOME", str(tmp_path))
    arguments = ["routing", "--data", str(data), "--limit", "4", "--no-baselines"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert "| **Octopus** | question |" in result.output
    assert "| last turn only |" in result.output


def test_people_are_asked_for(tmp_path: Path) -> None:
    spec, rows = tmp_path / "house.yaml", tmp_path / "rows.jsonl"
    spec.write_text(
        "name: house\nmasters: {chief: {neighbours: [maths]}}\n"
        "workers: {maths: {description: Calculus., tools: [calculus]}}\n"
    )
    rows.write_text('{"id": "cube", "turns": ["What is the derivative of x^3?"], "expect": "^3\\\\*x"}\n')
    arguments = ["people", "--rows", str(rows), "--graph", str(spec), "--output", str(tmp_path)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert "| all | 1 | 100.0 | 100.0 |" in result.output
    assert json.loads((tmp_path / "people.json").read_text())["rows"] == 1


def test_missing_data_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCTOPUS_DATA", raising=False)
    result = CliRunner().invoke(cli, ["tools"])
    assert isinstance(result.exception, InputError)
    assert "--data" in (result.exception.hint or "")
