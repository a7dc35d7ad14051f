"""Models by name: which server has it, which one `auto` takes, and what is said where there is none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agents.errors import ModelUnavailableError
from agents.types import WorkerRequest
from agents.workers.kinds import connect, parse_reference
from agents.workers.models.named import NamedReference, OllamaReference, best
from agents.workers.models.reference import Connection
from agents.workers.models.servers import look
from tests.loopback import ChatServer, free_port, serving
from tests.model_servers import llamacpp, lmstudio, ollama, places, vllm

REQUEST = WorkerRequest("What is 6 * 7?", idempotency_key="key")
LLAMA = {"name": "llama3.2:3b", "parameters": "3.2B"}
QWEN = {"name": "qwen2.5:7b", "parameters": "7.6B"}
CODER = {"name": "qwen2.5-coder:14b", "parameters": "14.8B"}
NOMIC = {"name": "nomic-embed-text:latest", "parameters": "137M", "family": "nomic-bert"}


class Machine:
    """Servers that run until the test ends."""

    def __init__(self, stack: ExitStack, patch: pytest.MonkeyPatch) -> None:
        self.stack, self.patch = stack, patch

    def __call__(self, **servers: ChatServer) -> None:
        for server in servers.values():
            self.stack.enter_context(serving(server))
        self.patch.setenv("OCTOPUS_SERVERS", places(**servers) or "none")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    with ExitStack() as stack:
        yield Machine(stack, monkeypatch)


def auto() -> tuple[str, str]:
    """The name of the best model, and why."""
    found, why = NamedReference("auto").lookup()
    return found.name, why


def test_a_loaded_model_is_taken_first(machine: Machine) -> None:
    machine(ollama=ollama(LLAMA, QWEN, NOMIC, loaded={"llama3.2:3b": 4096, "nomic-embed-text:latest": 2048}))
    assert auto() == ("llama3.2:3b", "auto: llama3.2:3b on Ollama, the only loaded one")


def test_else_the_largest_general_one(machine: Machine) -> None:
    machine(ollama=ollama(LLAMA, CODER, QWEN, NOMIC))
    assert auto() == ("qwen2.5:7b", "auto: qwen2.5:7b on Ollama, the largest (7.6B) of 2 general models")


def test_a_model_for_code_is_taken_where_nothing_else_is(machine: Machine) -> None:
    machine(ollama=ollama(CODER, NOMIC))
    assert auto() == (
        "qwen2.5-coder:14b",
        "auto: qwen2.5-coder:14b on Ollama, the only chat model that answers here",
    )


def test_equals_are_taken_in_the_order_of_the_servers(machine: Machine) -> None:
    one, other = lmstudio({"id": "b", "state": "loaded"}), vllm("a")
    machine(lmstudio=one, vllm=other)
    assert auto()[0] == "b"
    machine(vllm=vllm("a"), lmstudio=lmstudio({"id": "b", "state": "loaded"}))
    assert auto()[0] == "a"


@pytest.mark.parametrize("tells", [True, False])
def test_an_embedding_model_is_never_taken(machine: Machine, tells: bool) -> None:
    named_otherwise = {"name": "search:latest", "parameters": "8B", "can": ["embedding"], "family": "qwen3"}
    bert = {"name": "mine:latest", "parameters": "8B", "can": ["embedding"], "family": "bert"}
    machine(
        ollama=ollama(*([named_otherwise] if tells else []), bert, NOMIC, LLAMA, tells=tells),
        lmstudio=lmstudio({"id": "x", "type": "embeddings", "state": "loaded"}),
        vllm=vllm("BAAI/bge-m3"),
    )
    assert auto()[0] == "llama3.2:3b"
    machine(ollama=ollama(bert, NOMIC, tells=tells))
    with pytest.raises(ModelUnavailableError, match=r"no chat model for auto\. Ollama has mine:latest"):
        auto()


def test_a_model_that_runs_elsewhere_is_never_taken(machine: Machine) -> None:
    cloud = {"name": "gpt-oss:120b", "parameters": "116.8B", "host": "https://ollama.com:443"}
    machine(ollama=ollama(cloud, LLAMA))
    assert auto()[0] == "llama3.2:3b"
    machine(ollama=ollama(cloud, {"name": "kimi:1t-cloud"}))
    with pytest.raises(ModelUnavailableError, match="no chat model for auto"):
        auto()


def test_another_octopus_graph_is_never_taken(machine: Machine) -> None:
    rows = [{"id": name, "object": "model", "owned_by": "octopus"} for name in ("mmlu", "mmlu/law")]
    page = {"object": "list", "data": rows}
    machine(vllm=ChatServer(pages=lambda path, body: (200, page)))
    with pytest.raises(ModelUnavailableError, match="None answers; looked for"):
        auto()
    with pytest.raises(ModelUnavailableError, match=r"has the model 'mmlu'\. None answers;"):
        NamedReference("mmlu").lookup()


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("llama3.2:3b", "llama3.2:3b"), ("phi4", "phi4:latest"), ("PHI4:latest", "phi4:latest"),
        ("qwen@q4_k_m", "qwen@q4_k_m"), ("Qwen/Qwen3-4B", "Qwen/Qwen3-4B"),
        ("tiny.Q4_1", "/models/tiny.Q4_1.gguf"), ("tiny.Q4_1.gguf", "/models/tiny.Q4_1.gguf"),
    ],
)  # fmt: skip
def test_a_name_is_found(machine: Machine, name: str, full: str) -> None:
    machine(
        ollama=ollama(LLAMA, {"name": "phi4:latest"}),
        lmstudio=lmstudio({"id": "qwen@q4_k_m"}),
        vllm=vllm("Qwen/Qwen3-4B"),
        llamacpp=llamacpp(),
    )
    reference = parse_reference(name)
    assert (reference.found().name, reference.trouble(), reference.reachable()) == (full, "", True)


def test_a_name_that_nobody_has_names_what_there_is(machine: Machine) -> None:
    machine(ollama=ollama(LLAMA, QWEN), vllm=vllm("law"))
    trouble = parse_reference("lama3.2:3b").trouble()
    assert trouble.startswith(
        "no server on this machine has the model 'lama3.2:3b'. Ollama has llama3.2:3b, "
    )
    assert "vLLM has law." in trouble
    assert "Did you mean ollama:llama3.2:3b@" in trouble
    assert "Did you mean ollama:qwen2.5:7b@" in parse_reference("olama:qwen2.5:7b").trouble()
    assert "Did you mean" not in parse_reference("nothing-like-it").trouble()


def test_a_name_that_two_have_is_not_guessed(machine: Machine) -> None:
    machine(lmstudio=lmstudio({"id": "phi4"}), ollama=ollama({"name": "phi4:latest"}))
    with pytest.raises(
        ModelUnavailableError, match=r"several servers have .*'phi4'.*lmstudio:phi4@.* or ollama:phi4"
    ):
        parse_reference("phi4").found()


def test_where_no_server_answers_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("OCTOPUS_SERVERS", f"ollama={port}")
    trouble = parse_reference("llama3").trouble()
    assert trouble.endswith(f"None answers; looked for Ollama on port {port}.")


def test_a_named_server_says_what_it_has_instead(machine: Machine) -> None:
    chat = ollama(LLAMA)
    machine(ollama=chat)
    url = f"http://127.0.0.1:{chat.port}"
    assert parse_reference(f"ollama:llama3.2:3b@{url}").trouble() == ""
    assert parse_reference(f"openai:llama3.2:3b@{url}/v1").trouble() == ""
    for text in (f"ollama:llama3.2:1b@{url}", f"openai:llama3.2:1b@{url}/v1"):
        trouble = parse_reference(text).trouble()
        assert trouble.startswith("Ollama does not have the model 'llama3.2:1b'. Ollama has llama3.2:3b.")
    assert "does not answer" in parse_reference(f"ollama:m@http://127.0.0.1:{free_port()}").trouble()


async def test_the_model_behind_a_name_answers_and_is_sent_no_key(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    chat = ollama(LLAMA, NOMIC)
    machine(ollama=chat)
    with caplog.at_level(logging.INFO, "octopus.choices"):
        worker = connect("auto", Connection("math", "You count."))
        assert chat.requests == []
        answer = await worker.answer(REQUEST)
        again = await worker.answer(REQUEST)
    assert (answer.status, answer.text, answer.evidence["model"]) == ("answered", "Forty-two.", "llama3.2:3b")
    assert again.status == "answered"
    assert [record.message for record in caplog.records] == [
        "auto: llama3.2:3b on Ollama, the only chat model that answers here"
    ]
    headers, body = chat.requests[0]
    assert "sk-secret" not in str(headers)
    assert body["messages"][0] == {"role": "system", "content": "You count."}


async def test_a_server_that_is_named_is_sent_the_key(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    chat = vllm("m")
    machine(vllm=chat)
    await connect(f"vllm:m@http://127.0.0.1:{chat.port}", Connection("math")).answer(REQUEST)
    assert chat.requests[0][0]["authorization"] == "Bearer sk-secret"


async def test_a_model_that_is_not_there_is_a_failure_that_tells_clients_nothing(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    chat: ChatServer = ollama(LLAMA)
    machine(ollama=chat)
    worker = connect("llama9", Connection("math"))
    answer = await worker.answer(REQUEST)
    assert (answer.status, answer.failure and answer.failure["code"]) == ("unavailable", "no_model")
    assert "llama3.2" not in answer.text and str(chat.port) not in answer.text
    assert "Ollama has llama3.2:3b" in caplog.text


async def test_after_a_failure_the_name_is_looked_up_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker: Any = connect("m", Connection("math", timeout=5, retries=0))
    with serving(vllm("m")) as first:
        monkeypatch.setenv("OCTOPUS_SERVERS", places(vllm=first))
        assert (await worker.answer(REQUEST)).status == "answered"
    assert (await worker.answer(REQUEST)).status == "unavailable"
    machine(vllm=vllm("m"))
    assert (await worker.answer(REQUEST)).status == "answered"


def test_what_a_named_model_is_sent_is_the_conversation() -> None:
    assert NamedReference("m").sends == OllamaReference("m").sends == "conversation"


def test_best_is_the_same_whatever_the_order_of_a_listing(machine: Machine) -> None:
    machine(ollama=ollama(LLAMA, QWEN, CODER))
    one = best(look())[1]
    machine(ollama=ollama(CODER, QWEN, LLAMA))
    assert best(look())[1] == one


@pytest.mark.parametrize(
    "form", ["any name", "llamacpp:m@http://127.0.0.1:{}", "openai:m@http://127.0.0.1:{}/v1"]
)
async def test_conversations_are_kept_within_the_servers_window(machine: Machine, form: str) -> None:
    chat = llamacpp("/models/any name.gguf", window=512)
    machine(llamacpp=chat)
    reference = parse_reference(form.format(chat.port)) if ":" in form else NamedReference(form)
    said = [HumanMessage("word " * 300), AIMessage("word " * 300)]
    answer = await reference.connect(Connection("math")).answer(replace(REQUEST, conversation=said))
    assert answer.status == "answered"
    assert answer.evidence["trimmed"]["window"] == 512
    ((_, body),) = chat.requests
    assert [turn["content"] for turn in body["messages"]] == [REQUEST.query]
