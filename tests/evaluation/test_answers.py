"""Test MMLU over a graph: who is to blame, and resuming after a kill."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.errors import ModelUnavailableError
from agents.types import NodeName
from app.commands.evaluate import cli
from evaluation.answers import Answers, Exam
from evaluation.multiple_choice import Answerer, AnswerLog, Question, Reply
from tests.loopback import ChatServer, serving
from tests.scripted import ScriptedOctopus, route_to


@dataclass
class Script:
    """Say what the script has for a text that occurs in the prompt: the blame is under test."""

    script: dict[str, int]
    asked: list[str] = field(default_factory=list)

    async def choose(self, text: str) -> Reply:
        self.asked.append(text)
        found = next((choice for part, choice in self.script.items() if part in text), None)
        return Reply(found, read=10, written=1)


def question(name: str, node: str = "math") -> Question:
    return Question("abstract_algebra", f"{name}?\n1\n2\n3\n4", f"{name}?\nA. 1\nB. 2\nC. 3\nD. 4", node, 0)


async def ask(names: list[str], log: AnswerLog) -> tuple[Answers, list[Script]]:
    """Route everything to math, which is asked about `second` in other words."""
    routes = [route_to("math", "<nexa_0>", rewritten=question(name).text) for name in names]
    routes[1] = route_to("math", "<nexa_0>", rewritten="other words")
    scripts = {
        NodeName("math"): Script({"first?": 0, "second?": 0, "other words": 3}),
        NodeName("law"): Script({"third?": 0}),
    }
    exam = Exam(
        entry=NodeName("octopus"),
        octopuses={NodeName("octopus"): ScriptedOctopus(routes)},
        workers={name: Answerer(name, own.choose, (1.0, 2.0)) for name, own in scripts.items()},
        shots={},
        log=log,
    )
    answers = await exam.answer_all([question(name) for name in names], at_once=1)
    return answers, list(scripts.values())


async def test_every_wrong_answer_has_one_to_blame() -> None:
    answers, _ = await ask(["first", "second", "third", "fourth"], AnswerLog())
    assert answers.graph_right.tolist() == [True, False, False, False]
    errors = {name: own.tolist() for name, own in answers.errors().items()}
    assert errors == {
        "rewrite": [False, True, False, False],
        "routing": [False, False, True, False],
        "worker": [False, False, False, True],
    }
    assert answers.rewritten.tolist() == [False, True, False, False]
    assert answers.cost[0] == pytest.approx((10 * 1 + 1 * 2) / 1e6)


async def test_a_killed_run_asks_nothing_twice(tmp_path: Path) -> None:
    path, names = tmp_path / "log.jsonl", ["first", "second", "third"]
    before, _ = await ask(names, AnswerLog(path))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]) + lines[-1][:20])  # killed while it wrote the last reply
    after, scripts = await ask(names, AnswerLog(path))
    assert sum(len(script.asked) for script in scripts) == 1
    assert after.graph_right.tolist() == before.graph_right.tolist()
    assert len(AnswerLog(path)) == len(lines)


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    """Write three questions whose answer is always B."""
    (tmp_path / "mmlu").mkdir()
    row = {"subject": "astronomy", "choices": ["Mars", "Venus", "Pluto", "Ceres"], "answer": 1}
    rows = [row | {"question": f"Which planet is hot in year {k}?"} for k in range(3)]
    for name in ("test_a", "dev"):
        with gzip.open(tmp_path / "mmlu" / f"{name}.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(own) + "\n" for own in rows)
    return tmp_path


def spec_with(folder: Path, model: str) -> Path:
    path = folder / "graph.yaml"
    path.write_text(
        "masters: {octopus: {neighbours: [physics, law]}}\nworkers:\n"
        f"  physics: {{description: Planets and stars., model: '{model}', price: {{input: 1, output: 1}}}}\n"
        f"  law: {{description: Courts and contracts., prompt: You are a lawyer., model: '{model}'}}\n"
    )
    return path


def test_a_graph_of_served_models_is_measured(exam: Path) -> None:
    with serving(ChatServer(words=["B", "."])) as server:
        spec = spec_with(exam, f"openai:tiny@{server.url}")
        arguments = ["answers", "--data", str(exam), "--graph", str(spec), "--log", str(exam / "log.jsonl")]
        result = CliRunner().invoke(cli, [*arguments, "--output", str(exam)])
        assert result.exit_code == 0, result.output
        asked = len(server.requests)
        assert asked == 6
        assert "Answer: B" in server.requests[0][1]["messages"][-1]["content"]
        assert CliRunner().invoke(cli, arguments).exit_code == 0
        assert len(server.requests) == asked  # all from the log
    figures = json.loads((exam / "answers.json").read_text())
    assert figures["systems"]["**graph**"]["right"] == 1.0
    assert figures["errors"] == {"rewrite": 0.0, "routing": 0.0, "worker": 0.0}


def test_without_its_server_nothing_is_measured(exam: Path) -> None:
    spec = spec_with(exam, "openai:tiny@http://127.0.0.1:9/v1")
    result = CliRunner().invoke(cli, ["answers", "--data", str(exam), "--graph", str(spec)])
    assert isinstance(result.exception, ModelUnavailableError)


def test_likelihood_needs_local_models(exam: Path) -> None:
    spec = spec_with(exam, "openai:tiny@http://127.0.0.1:9/v1")
    arguments = ["answers", "--data", str(exam), "--graph", str(spec), "--by", "likelihood"]
    result = CliRunner().invoke(cli, arguments)
    assert "gives no log-likelihoods" in str(result.exception)
