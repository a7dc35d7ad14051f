"""`octopus doctor`: what it finds, and what it keeps to itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphs.spec_file import GRAPHS
from tests.app.conftest import Octopus
from tests.loopback import free_port, serving
from tests.model_servers import ollama


def test_the_doctor_finds_servers(octopus: Octopus, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = free_port()
    with serving(ollama({"name": "phi4:latest"}, {"name": "nomic-embed-text:latest"})) as chat:
        monkeypatch.setenv("OCTOPUS_SERVERS", f"ollama={chat.port},vllm={silent}")
        result = octopus("doctor")
    assert result.code == 0
    assert "encoder          ready (sentence-transformers/all-MiniLM-L6-v2" in result.out
    assert f"Ollama           2 model(s) on port {chat.port}; to chat: ollama:phi4:latest@http" in result.out
    assert f"vLLM             no answer on port {silent}" in result.out
    assert "OCTOPUS_MODEL is not set" in result.out
    assert "Ollama on this machine has phi4:latest; OCTOPUS_MODEL=auto takes it." in result.out


def test_the_doctor_names_workers_whose_model_does_not_answer(octopus: Octopus, small: Path) -> None:
    silent = f"llamacpp:m@http://127.0.0.1:{free_port()}"
    result = octopus("doctor", "-g", small, "--model", f"cars={silent}", "--model", "nowhere")
    assert f"model            cars: {silent}: http://127.0.0.1:" in result.out
    assert "model            nowhere: no server on this machine has the model 'nowhere'" in result.out


def test_the_doctor_tells_of_a_copy_that_lost_its_router(octopus: Octopus, tmp_path: Path) -> None:
    text = (GRAPHS / "mmlu.yaml").read_text().replace("physics and astronomy", "physics", 1)
    (tmp_path / "mmlu.yaml").write_text(text)
    result = octopus("doctor", "-g", tmp_path / "mmlu.yaml")
    assert "mmlu.yaml routes zero-shot: it is mmlu with other texts of physics, for which" in result.out
    assert "router " not in octopus("doctor").out


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("openai:x", "openai:x: the model 'openai:x' is not understood."),
        (
            "openai:x@http://127.0.0.1:9/v1",
            "openai:x@http://127.0.0.1:9/v1: http://127.0.0.1:9/v1 does",
        ),
    ],
)
def test_the_doctor_tries_the_model(
    octopus: Octopus, monkeypatch: pytest.MonkeyPatch, model: str, said: str
) -> None:
    monkeypatch.setenv("OCTOPUS_MODEL", model)
    assert f"model            {said}" in octopus("doctor").out


@pytest.mark.parametrize(
    ("router", "said"),
    [
        ("vllm:base@http://127.0.0.1:1", "vllm:base@http://127.0.0.1:1 does not answer"),
        ("encoder", "encoder\n"),
        ("squid", "OCTOPUS_ROUTER: the octopus 'squid' is not understood"),
    ],
)
def test_the_doctor_tries_the_octopus(
    octopus: Octopus, monkeypatch: pytest.MonkeyPatch, router: str, said: str
) -> None:
    monkeypatch.setenv("OCTOPUS_ROUTER", router)
    assert f"octopus          {said}" in octopus("doctor").out


def test_the_doctor_tells_no_keys(octopus: Octopus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTOPUS_MODEL", "mcp:https://user:s3cret@models.test/mcp?apiKey=s3cret")
    monkeypatch.setenv(
        "OCTOPUS_ROUTER", "vllm:base@https://user:s3cret@a.test,https://s3cret@b.test?k=s3cret"
    )
    result = octopus("doctor")
    assert "mcp:https://models.test/mcp" in result.out
    assert "vllm:base@https://a.test,https://b.test" in result.out
    assert "s3cret" not in result.out
