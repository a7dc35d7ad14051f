"""`octopus doctor`: what it finds, and what it keeps to itself."""

from __future__ import annotations

import pytest

from app.commands import doctor
from tests.app.conftest import Octopus
from tests.loopback import ChatServer, free_port, serving


def test_the_doctor_finds_a_server(octopus: Octopus, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = free_port()
    with serving(ChatServer()) as chat:
        monkeypatch.setattr(doctor, "SERVERS", {"Ollama": chat.port, "vLLM": silent})
        result = octopus("doctor")
    assert result.code == 0
    assert "encoder          ready (sentence-transformers/all-MiniLM-L6-v2" in result.out
    assert f"export OCTOPUS_MODEL='openai:tiny@http://localhost:{chat.port}/v1'" in result.out
    assert f"vLLM             no answer on port {silent}" in result.out
    assert "OCTOPUS_MODEL is not set" in result.out


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("garbage", "OCTOPUS_MODEL: the model 'garbage' is not understood."),
        ("openai:x@http://127.0.0.1:9/v1", "openai:x@http://127.0.0.1:9/v1 does not answer"),
    ],
)
def test_the_doctor_tries_the_model(
    octopus: Octopus, monkeypatch: pytest.MonkeyPatch, model: str, said: str
) -> None:
    monkeypatch.setattr(doctor, "SERVERS", {})
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
    monkeypatch.setattr(doctor, "SERVERS", {})
    monkeypatch.setenv("OCTOPUS_ROUTER", router)
    assert f"octopus          {said}" in octopus("doctor").out


def test_the_doctor_tells_no_keys(octopus: Octopus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SERVERS", {})
    monkeypatch.setenv("OCTOPUS_MODEL", "mcp:https://user:s3cret@models.test/mcp?apiKey=s3cret")
    monkeypatch.setenv(
        "OCTOPUS_ROUTER", "vllm:base@https://user:s3cret@a.test,https://s3cret@b.test?k=s3cret"
    )
    result = octopus("doctor")
    assert "mcp:https://models.test/mcp" in result.out
    assert "vllm:base@https://a.test,https://b.test" in result.out
    assert "s3cret" not in result.out
