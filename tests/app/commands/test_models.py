"""`octopus models`, and models for workers on a command line, in a file and by themselves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from graphs.spec_file import GRAPHS
from tests.app.commands.test_chat import Typist
from tests.app.conftest import Octopus
from tests.loopback import ChatServer, free_port, serving
from tests.model_servers import llamacpp, lmstudio, ollama, places

LLAMA = {"name": "llama3.2:3b", "parameters": "3.2B", "size": 2019393189, "longest": 131072} | {
    "licence": "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT", "can": ["completion", "tools"]
}  # fmt: skip
BREAD = "How do I bake bread?"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, server: ChatServer) -> ChatServer:
    """An Ollama, beside the server that `OCTOPUS_MODEL` names."""
    monkeypatch.delenv("OCTOPUS_MODEL")
    return server


def test_what_is_there_and_who_uses_it(
    octopus: Octopus, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = free_port()
    with (
        serving(ollama(LLAMA, loaded={"llama3.2:3b": 4096})) as one,
        serving(lmstudio({"id": "phi4"})) as other,
    ):
        monkeypatch.setenv("OCTOPUS_SERVERS", f"{places(ollama=one, lmstudio=other)},vllm={silent}")
        result = octopus("models", "-g", small, "--model", "cars=phi4", "--model", "auto")
        found = json.loads(octopus("models", "-g", small, "--model", "cars=phi5", "--json").out)
    lines = result.out.splitlines()
    assert result.code == 0
    assert lines[0] == f"Ollama  http://127.0.0.1:{one.port}"
    assert lines[1] == (
        "  llama3.2:3b  3.2B parameters  2.0 GB  window 4,096 of 131,072  Q4_K_M  "
        "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT  text  tools  loaded"
    )
    assert lines[3] == "  phi4  window up to 32,768  Q4_K_M  text"
    assert lines[4] == f"no answer: vLLM on {silent}"
    assert lines[6:] == [
        "graph small",
        "  cars        phi4  window up to 32,768  Q4_K_M  text",
        "  the others  auto (llama3.2:3b)  3.2B parameters  2.0 GB  window 4,096  Q4_K_M  loaded",
    ]
    ollamas, studio, quiet = found["servers"]
    assert ollamas["models"][0]["parameters"] == 3_200_000_000
    assert (studio["models"][0]["parameters"], studio["models"][0]["window"]) == (None, None)
    assert (quiet["fault"], quiet["models"]) == ("no answer", [])
    assert found["workers"]["cooking"]["model"] is None
    assert "Did you mean lmstudio:phi4@" in found["workers"]["cars"]["trouble"]


def test_models_tell_no_passwords(octopus: Octopus, small: Path) -> None:
    secret = "openai:m@http://user:s3cret@127.0.0.1:9/v1?key=s3cret"
    for extra in ((), ("--json",)):
        result = octopus("models", "-g", small, "--model", secret, *extra)
        assert "openai:m@http://127.0.0.1:9/v1" in result.out
        assert "s3cret" not in result.out + result.err


def test_a_worker_gets_the_model_that_it_is_given(octopus: Octopus, small: Path, machine: ChatServer) -> None:
    given = f"cooking=openai:baker@{machine.url}"
    result = octopus("ask", "-g", small, "-q", "--model", given, BREAD)
    assert (result.code, result.out) == (0, "Forty-two.\n")
    assert machine.requests[0][1]["model"] == "baker"
    file = small.parent / "models.yaml"
    file.write_text(f'cooking: openai:chef@{machine.url}\n"*": none\n')
    assert octopus("ask", "-g", small, "-q", "--models", file, BREAD).code == 0
    assert octopus("ask", "-g", small, "-q", "--models", file, "--model", given, BREAD).code == 0
    assert [body["model"] for _, body in machine.requests] == ["baker", "chef", "baker"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("cookin=auto", "there is no worker 'cookin' in graph small. Did you mean 'cooking'?"),
        ("cooking=openai:m", "worker 'cooking': the model 'openai:m' is not understood"),
        ("cooking=none", "worker 'cooking': the model 'none' is not understood"),
    ],
)
@pytest.mark.parametrize("command", ["ask", "chat", "serve", "models", "doctor"])
def test_a_model_that_cannot_be_given_is_refused(
    octopus: Octopus, small: Path, command: str, given: str, said: str
) -> None:
    result = octopus(command, "-g", small, "--model", given, stdin=b"x\n")
    assert (result.code, said in result.err) == (2, True), result


def test_shipped_graphs_get_models_and_keep_their_router(octopus: Octopus, machine: ChatServer) -> None:
    result = octopus("ask", "--model", f"biology=openai:bio@{machine.url}", "Why do leaves change colour?")
    assert "octopus → <nexa_2> biology  (p = " in result.out
    assert "not calibrated" not in result.out
    assert machine.requests[0][1]["model"] == "bio"


def test_a_copy_that_differs_is_told_with_the_trace_in_full(
    octopus: Octopus, tmp_path: Path, machine: ChatServer
) -> None:
    text = (GRAPHS / "mmlu.yaml").read_text().replace("physics and astronomy", "physics", 1)
    (tmp_path / "mine.yaml").write_text(text)
    result = octopus("ask", "-v", "-g", tmp_path / "mine.yaml", "What is 17 * 23?")
    assert (
        "  router  " in result.out and "mine.yaml routes zero-shot: it is mmlu with other texts" in result.out
    )
    assert "  router  " not in octopus("ask", "-v", "What is 17 * 23?").out


def test_auto_says_in_a_line_what_it_takes(
    octopus: Octopus, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(llamacpp("tiny")) as chat:
        monkeypatch.setenv("OCTOPUS_SERVERS", str(chat.port))
        monkeypatch.setenv("OCTOPUS_MODEL", "auto")
        shown = octopus("ask", "-g", small, BREAD)
        quiet = octopus("ask", "-q", "-g", small, BREAD)
        as_json = octopus("ask", "--json", "-g", small, BREAD)
    line = "  model   auto: tiny on llama.cpp, the only chat model that answers here\n"
    assert shown.out.count(line) == 1
    assert quiet.out == "Forty-two.\n"
    assert json.loads(as_json.out)["hops"][0]["evidence"]["model"] == "tiny"


def test_where_no_model_is_set_one_is_offered_and_only_then(
    octopus: Octopus, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(ollama(LLAMA)) as chat:
        monkeypatch.setenv("OCTOPUS_SERVERS", f"ollama={chat.port}")
        offered = octopus("ask", "-g", small, BREAD)
        assert octopus("ask", "-q", "-g", small, BREAD).err.count("llama3.2:3b") == 0
        other = octopus("ask", "-g", small, "--model", f"openai:m@http://127.0.0.1:{free_port()}/v1", BREAD)
    assert offered.code == other.code == 3
    said = "Ollama on this machine has llama3.2:3b; --model auto, or OCTOPUS_MODEL=auto, takes it."
    assert offered.err.rstrip().endswith(said)
    assert "llama3.2:3b" not in other.err + other.out


def test_a_server_that_lacks_the_model_says_what_it_has(octopus: Octopus, small: Path) -> None:
    with serving(ollama(LLAMA)) as chat:
        model = f"ollama:llama3.2:1b@http://127.0.0.1:{chat.port}"
        result = octopus("ask", "-g", small, "--model", model, BREAD)
    assert result.code == 3
    assert "Ollama does not have the model 'llama3.2:1b'. Ollama has llama3.2:3b. Did you mean" in result.err


def test_a_name_that_is_not_here_is_a_failure_that_says_what_is(
    octopus: Octopus, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(ollama(LLAMA)) as chat:
        monkeypatch.setenv("OCTOPUS_SERVERS", f"ollama={chat.port}")
        result = octopus("ask", "-g", small, "--model", "lama3.2:3b", BREAD)
    assert result.code == 3
    assert "Ollama has llama3.2:3b. Did you mean ollama:llama3.2:3b@http" in result.err


def test_the_chat_offers_a_model_and_takes_it(small: Path) -> None:
    with serving(ollama(LLAMA)) as chat:
        environment = {
            **os.environ,
            "OCTOPUS_HOME": str(small.parent),
            "OCTOPUS_SERVERS": f"ollama={chat.port}",
            "TERM": "xterm",
        }
        typist = Typist(environment)
        try:
            assert "Ollama on this machine has llama3.2:3b; /model auto takes it." in typist.screen
            assert "no server on this machine has the model 'phi9'" in typist.send("/model phi9").lower()
            assert "own: auto" in typist.send("/model auto")
            assert "Forty-two." in typist.send(BREAD)
            assert "cars: ollama:llama3.2:3b@" in typist.send(
                f"/model cars=ollama:llama3.2:3b@http://127.0.0.1:{chat.port}"
            )
        finally:
            typist.process.close(force=True)
    assert chat.requests[0][1]["model"] == "llama3.2:3b"
