"""`octopus graph new`."""

from __future__ import annotations

import asyncio
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import Octopus
from tests.studio import developing


def test_a_new_project_answers(octopus: Octopus, tmp_path: Path) -> None:
    made = octopus("graph", "new", tmp_path / "kitchen")
    names = [Path(line).name for line in made.out.splitlines()]
    assert names == ["kitchen.yaml", "graph.py", "langgraph.json", ".env.example"]
    spec = tmp_path / "kitchen" / "kitchen.yaml"
    assert json.loads((tmp_path / "kitchen" / "langgraph.json").read_text())["env"] == ".env"
    assert "sound. 1 master(s), 2 worker(s)" in octopus("graph", "validate", spec).out
    step = next(line for line in made.err.splitlines() if "octopus ask" in line)
    asked = octopus(*shlex.split(step)[1:])
    assert (asked.code, "4*x^3" in asked.out) == (0, True)


def test_the_folder_of_a_project_names_its_graph(
    octopus: Octopus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    octopus("graph", "new", tmp_path / "kitchen")
    monkeypatch.chdir(tmp_path)
    assert octopus("graph", "validate", "kitchen").out.startswith("kitchen/kitchen.yaml: sound.")
    monkeypatch.chdir("kitchen")
    assert octopus("graph", "validate", ".").out.startswith("kitchen.yaml: sound.")
    (tmp_path / "cellar").mkdir()
    assert "there is no graph '../cellar'" in octopus("graph", "validate", "../cellar").err


def test_a_model_that_is_not_here_now_is_told(octopus: Octopus, small: Path) -> None:
    small.write_text(small.read_text().replace('food."', 'food.", model: llama3'))
    result = octopus("graph", "validate", small)
    assert (result.code, "sound." in result.out) == (0, True)
    assert "cooking: no server on this machine has the model 'llama3'." in result.err


@pytest.mark.parametrize("name", ["Kitchen", "1st", "a b", "größe"])
def test_a_name_that_is_none(octopus: Octopus, tmp_path: Path, name: str) -> None:
    done = octopus("graph", "new", tmp_path / name)
    assert (done.code, list(tmp_path.iterdir())) == (2, [])
    assert f"{name!r} cannot name a graph" in done.err


def test_nothing_is_overwritten(octopus: Octopus, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    assert "exists already" in octopus("graph", "new", tmp_path / "here").err


@pytest.mark.accept
@pytest.mark.timeout(300)
def test_it_runs_with_langgraph_dev(octopus: Octopus, tmp_path: Path) -> None:
    from langgraph_sdk import get_client

    octopus("graph", "new", tmp_path / "kitchen")
    with developing(tmp_path / "kitchen", tmp_path) as url:

        async def ask() -> Any:
            asked: Any = {"messages": [{"role": "user", "content": "What is the derivative of x^4?"}]}
            async with get_client(url=url) as client:
                return await client.runs.wait(None, "kitchen", input=asked)

        done = asyncio.run(ask())
    assert done["hops"][0]["node"] == "maths"
    assert done["messages"][-1]["content"].startswith("4*x^3")
    assert not (tmp_path / "guard.log").exists()
