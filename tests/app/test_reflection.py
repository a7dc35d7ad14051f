"""`octopus ask --reflection` with a model behind a real HTTP server on loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.loopback import ChatServer, serving

SPEC = """\
masters: {chief: {neighbours: [cooking], generalist: cooking}}
workers: {cooking: {description: "Recipes, and how to cook and bake food."}}
"""
QUESTION = "How do I bake bread?"


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OCTOPUS_HOME", str(tmp_path / "home"))
    (tmp_path / "small.yaml").write_text(SPEC)
    return str(tmp_path / "small.yaml")


def test_a_model_that_never_agrees_with_itself_is_bounded(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(ChatServer()) as server:
        monkeypatch.setenv("OCTOPUS_MODEL", f"openai:tiny@{server.url}")
        arguments = ["ask", QUESTION, "--graph", spec, "--reflection", "basic"]
        result = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
        trace = json.loads(result.stdout)["hops"][0]["evidence"]["reflection"]
        assert trace["reason"] == "the budget of 3 rounds is used up"
        assert [one["draft"] for one in trace["rounds"]] == ["Forty-two."] * 3
        bodies = [body for _, body in server.requests]
        assert len(bodies) == 6
        limits: list[int] = [body.get("max_tokens") or body["max_completion_tokens"] for body in bodies]
        assert limits[0] == 4000
        assert limits == sorted(set(limits), reverse=True)

        shown = CliRunner().invoke(cli, arguments, catch_exceptions=False).stdout
        assert "round 3 score 0.00" in shown
        assert "basic   stopped: the budget of 3 rounds is used up" in shown
        assert shown.rstrip().endswith("Forty-two.")


def test_lessons_are_kept_with_the_thread(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(ChatServer(words=["SCORE: 2/10 Too short."])) as server:
        monkeypatch.setenv("OCTOPUS_MODEL", f"openai:tiny@{server.url}")
        for thread in ("one", "two"):
            arguments = ["ask", QUESTION, "--graph", spec, "--reflection", "reflexion", "--thread", thread]
            assert CliRunner().invoke(cli, arguments, catch_exceptions=False).exit_code == 0
        drafts = [body["messages"][-1]["content"] for _, body in server.requests]
    assert "An earlier answer" not in drafts[0]
    first_of_two = drafts[len(drafts) // 2]
    assert "An earlier answer" in first_of_two
