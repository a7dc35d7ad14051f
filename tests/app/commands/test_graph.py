"""`octopus graph new`."""

from __future__ import annotations

import asyncio
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from agents.types import NodeName
from graphs.spec_file import load_spec
from tests.app.conftest import Octopus
from tests.loopback import serving
from tests.model_servers import llamacpp, lmstudio, ollama, places
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


MODELS = (
    {"name": "llama3.2:3b", "parameters": "3.2B", "can": ["completion", "tools"]},
    {"name": "qwen2.5:14b", "parameters": "14.8B"},
    {"name": "qwen2.5-coder:7b", "parameters": "7.6B"},
    {"name": "nomic-embed-text:latest", "family": "nomic-bert", "can": ["embedding"]},
    {"name": "llama3:text", "parameters": "8B"},
    {"name": "gpt-oss:120b-cloud", "host": "https://ollama.com:443"},
)


def test_a_graph_of_the_models_that_are_there_routes_and_answers(
    octopus: Octopus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, eye = ollama(*MODELS), lmstudio({"id": "qwen2-vl-7b-instruct", "type": "vlm"})
    chat.reply = lambda body: f"I am {body['model']}."
    with serving(chat), serving(eye):
        monkeypatch.setenv("OCTOPUS_SERVERS", places(ollama=chat, lmstudio=eye))
        made = octopus("graph", "new", tmp_path / "mine", "--from-models")
        spec = load_spec(tmp_path / "mine" / "mine.yaml")
        asked = [
            octopus("ask", "-q", "-g", tmp_path / "mine", question).out.strip()
            for question in (
                "Write a Python function that sorts a list of dates.",
                "Write a short letter of thanks to my aunt.",
                "Weigh the arguments for and against nuclear power, and draw up a plan.",
            )
        ]
    assert made.code == 0, made.err
    assert list(spec.workers) == ["qwen2_5_14b", "qwen2_5_coder_7b", "qwen2_vl_7b_instruct", "llama3_2_3b"]
    assert spec.masters[spec.entry].generalist == "qwen2_5_14b"
    assert spec.workers[NodeName("qwen2_vl_7b_instruct")].modalities == ("image",)
    assert spec.workers[NodeName("llama3_2_3b")].size == 3.2
    assert asked == ["I am qwen2.5-coder:7b.", "I am llama3.2:3b.", "I am qwen2.5:14b."]
    text = (tmp_path / "mine" / "mine.yaml").read_text()
    assert (
        "# left out, as they do not answer questions on this machine: gpt-oss:120b-cloud, llama3:text" in text
    )


def test_a_graph_of_one_model(octopus: Octopus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(llamacpp("/models/{odd} name-1B.gguf")) as chat:
        monkeypatch.setenv("OCTOPUS_SERVERS", str(chat.port))
        octopus("graph", "new", tmp_path / "one", "--from-models")
        spec = load_spec(tmp_path / "one" / "one.yaml")
    assert list(spec.workers) == ["odd_name_1b"]
    assert spec.workers[NodeName("odd_name_1b")].model == (
        f"llamacpp:/models/{{odd}} name-1B.gguf@http://127.0.0.1:{chat.port}"
    )


def test_without_models_no_graph_is_made(octopus: Octopus, tmp_path: Path) -> None:
    result = octopus("graph", "new", tmp_path / "none", "--from-models")
    assert (result.code, list(tmp_path.iterdir())) == (3, [])
    assert "there is no chat model to make a graph of." in result.err
