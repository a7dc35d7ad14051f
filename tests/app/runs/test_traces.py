"""Runs are logged when asked for, and a router that learnt from feedback must pass its gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agents.errors import InputError
from agents.octopus.causal.manifest import CausalManifest, write_manifest
from agents.octopus.encoder.artifact import load_artifact
from app.cli import cli

WORDS = ("flim", "glorp", "snee", "brack", "wuzzle", "plonk", "drizz", "quax", "mib", "tove", "borog", "rath")


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "traces.jsonl"
    monkeypatch.setenv("OCTOPUS_TRACES", str(path))
    return path


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """Two workers between which the descriptions cannot tell what our words are about."""
    path = tmp_path / "pets.yaml"
    path.write_text(
        "masters: {octopus: {neighbours: [fish, birds]}}\nworkers:\n"
        "  fish: {description: Answers questions about keeping fish.}\n"
        "  birds: {description: Answers questions about keeping birds.}\n"
    )
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_nothing_is_logged_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCTOPUS_TRACES", raising=False)
    assert CliRunner().invoke(cli, ["ask", "What is 2 + 2?"]).exit_code == 0
    assert isinstance(CliRunner().invoke(cli, ["feedback", "good"]).exception, InputError)


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_run_and_what_was_said_of_it(log: Path, how: list[str]) -> None:
    question = "What is the derivative of x^3 when x is 2?"
    assert CliRunner().invoke(cli, ["ask", *how, question]).exit_code == 0
    result = CliRunner().invoke(cli, ["feedback", "bad", "--node", "physics"])
    assert result.exit_code == 0, result.output
    run, said = lines(log)
    assert run["question"] == question and run["graph"] == "mmlu"
    assert run["hops"][0]["node"] == "math" and run["hops"][0]["status"] == "answered"
    assert said["feedback"] == {"score": -1, "node": "physics"} and said["turn"] == run["turn"]
    assert log.stat().st_mode & 0o777 == 0o600


def test_what_is_logged_is_redacted(log: Path) -> None:
    CliRunner().invoke(cli, ["ask", "--json", "Mail the contract to a@example.org, can they sue me?"])
    assert "[email]" in log.read_text() and "a@example.org" not in log.read_text()


def traced(log: Path, node_of: dict[str, str], turn: str = "") -> None:
    """A log of runs on made-up words, each with the user's word on where it belongs."""
    with log.open("a") as file:
        for k, (query, node) in enumerate(node_of.items()):
            hop = {"master": "octopus", "node": "fish", "query": query, "status": "unavailable", "answer": ""}
            file.write(json.dumps({"turn": f"{turn}{k}", "question": query, "hops": [hop]}) + "\n")
            file.write(json.dumps({"turn": f"{turn}{k}", "feedback": {"score": -1, "node": node}}) + "\n")


def questions(template: str) -> dict[str, str]:
    return {template.format(word): ("fish", "birds")[k % 2] for k, word in enumerate(WORDS)}


def gate(tmp_path: Path, node_of: dict[str, str]) -> str:
    path = tmp_path / "gate.jsonl"
    path.write_text("".join(json.dumps({"query": q, "node": n}) + "\n" for q, n in node_of.items()))
    return str(path)


def test_a_better_router_is_promoted_and_the_old_one_kept(log: Path, graph: Path, tmp_path: Path) -> None:
    for k, template in enumerate(("How do I feed a {}?", "My {} is ill", "Where does the {} sleep?")):
        traced(log, questions(template), f"{k}-")
    held_out = gate(tmp_path, questions("What does a {} eat?") | questions("Can I buy a {} here?"))
    target = tmp_path / "artifact"
    arguments = ["train", "from-traces", "--graph", str(graph), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(cli, [*arguments, "--gate", held_out, "--promote", str(target)])
    assert result.exit_code == 0, result.output
    assert "promoted to" in result.output
    first = load_artifact(target)
    # Again with the same traces: what was just promoted is not better than itself.
    again = CliRunner().invoke(cli, [*arguments, "--gate", held_out, "--promote", str(target)])
    assert "not promoted" in again.output
    assert load_artifact(target).manifest == first.manifest
    assert len(lines(tmp_path / "out" / "router.jsonl")) == 3 * len(WORDS)


def test_a_worse_router_is_not_promoted(log: Path, graph: Path, tmp_path: Path) -> None:
    wrong = {f"How do I keep {k} goldfish?": "birds" for k in range(10)}
    wrong |= {f"How do I keep {k} parrots?": "fish" for k in range(10)}
    traced(log, wrong)
    right = {f"Do my {k} goldfish need light?": "fish" for k in range(8)}
    right |= {f"Do my {k} parrots need light?": "birds" for k in range(8)}
    target = tmp_path / "artifact"
    arguments = ["train", "from-traces", "--graph", str(graph), "--out", str(tmp_path / "out")]
    held_out = gate(tmp_path, right)
    result = CliRunner().invoke(cli, [*arguments, "--gate", held_out, "--promote", str(target)])
    assert result.exit_code == 0, result.output
    assert "not promoted" in result.output and not target.exists()


def test_promoting_needs_a_gate(log: Path, graph: Path, tmp_path: Path) -> None:
    log.write_text("")
    arguments = ["train", "from-traces", "--graph", str(graph), "--out", str(tmp_path), "--promote", "x"]
    assert isinstance(CliRunner().invoke(cli, arguments).exception, InputError)


def test_a_causal_octopus_is_not_displaced(log: Path, graph: Path, tmp_path: Path) -> None:
    traced(log, questions("How do I feed a {}?"))
    target = tmp_path / "causal"
    target.mkdir()
    write_manifest(target, CausalManifest(before="<|user|>", after="<|assistant|>"))
    arguments = ["train", "from-traces", "--graph", str(graph), "--out", str(tmp_path / "out")]
    held_out = gate(tmp_path, questions("What does a {} eat?"))
    result = CliRunner().invoke(cli, [*arguments, "--gate", held_out, "--promote", str(target)])
    assert isinstance(result.exception, InputError)
    assert "causal Octopus" in str(result.exception)
    assert [path.name for path in target.iterdir()] == ["octopus.json"]
