"""References of every kind: how they are read, what they connect, and whether something answers there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from agents.errors import SpecError
from agents.types import Choice, WorkerRequest
from agents.workers.kinds import KINDS, connect, parse_reference
from agents.workers.mcp_agent import McpAgent, McpReference
from agents.workers.models.clients import (
    EndpointReference,
    LocalReference,
    OpenAIReference,
    ProviderReference,
)
from agents.workers.models.language_model import LanguageModel
from agents.workers.models.named import (
    LlamaCppReference,
    LMStudioReference,
    NamedReference,
    OllamaReference,
    VllmReference,
)
from agents.workers.models.reference import Connection, ModelReference, Warmable
from agents.workers.remote_graph import RemoteGraphReference
from tests.loopback import ChatServer, free_port, serving


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "openai:llama3.2@http://localhost:11434/v1",
            OpenAIReference("llama3.2", "http://localhost:11434/v1"),
        ),
        (" openai:org/model:7b@https://host/v1 ", OpenAIReference("org/model:7b", "https://host/v1")),
        ("openai:a@b@http://h/v1", OpenAIReference("a@b", "http://h/v1")),
        ("ollama:qwen2.5:3b", OllamaReference("qwen2.5:3b", "http://127.0.0.1:11434")),
        ("ollama:hf.co/org/m:Q4@http://h:9/v1/", OllamaReference("hf.co/org/m:Q4", "http://h:9")),
        ("lmstudio:qwen@q4_k_m", LMStudioReference("qwen@q4_k_m", "http://127.0.0.1:1234")),
        ("lmstudio:qwen@q4@https://h", LMStudioReference("qwen@q4", "https://h")),
        ("vllm:Qwen/Qwen3-4B", VllmReference("Qwen/Qwen3-4B", "http://127.0.0.1:8000")),
        ("llamacpp:m@http://127.0.0.1:8099", LlamaCppReference("m", "http://127.0.0.1:8099")),
        ("llama.cpp:m", LlamaCppReference("m", "http://127.0.0.1:8080")),
        ("qwen2.5:3b", NamedReference("qwen2.5:3b")),
        ("org/model@q4", NamedReference("org/model@q4")),
        ("llama3", NamedReference("llama3")),
        ("auto", NamedReference("auto")),
        ("hf:Qwen/Qwen3-0.6B", LocalReference("Qwen/Qwen3-0.6B")),
        ("hf:/models/my base", LocalReference("/models/my base")),
        (
            "hf:base#adapters/law?dtype=bfloat16&device=cuda:1",
            LocalReference("base", "", "adapters/law", {"dtype": "bfloat16", "device": "cuda:1"}),
        ),
        ("hf-endpoint:https://e.example/", EndpointReference("tgi", "https://e.example/")),
        ("hf-endpoint:m@https://e.example", EndpointReference("m", "https://e.example")),
        ("provider:anthropic:claude-x", ProviderReference("anthropic:claude-x")),
        ("provider:gpt-x", ProviderReference("gpt-x")),
        ("remote-graph:agent@http://h:2024", RemoteGraphReference("agent", "http://h:2024")),
        ("mcp:http://h:8000/mcp", McpReference("", "http://h:8000/mcp")),
    ],
)
def test_references(text: str, expected: ModelReference) -> None:
    assert parse_reference(text) == expected


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", "openai:NAME@URL"),
        ("none", "NAME of a model"),
        ("opeai:m@http://h/v1", "openai:NAME@URL"),
        ("what is this", "NAME of a model"),
        ("m:", "NAME of a model"),
        ("ollama", "ollama:NAME[@URL]"),
        ("ollama:m@http://", "ollama:NAME[@URL]"),
        ("openai:llama3", "openai:NAME@URL"),
        ("openai:@http://h/v1", "openai:NAME@URL"),
        ("openai:m@ftp://h", "openai:NAME@URL"),
        ("openai:m@http://", "openai:NAME@URL"),
        ("openai:m@http://[bad/v1", "openai:NAME@URL"),
        ("hf:", "hf:ORG/NAME"),
        ("hf:m?dtype=int3", "hf:ORG/NAME"),
        ("hf:m?samples=2", "hf:ORG/NAME"),
        ("hf:m?dtype", "hf:ORG/NAME"),
        ("provider:", "provider:PROVIDER:NAME"),
        ("provider:openai:", "provider:PROVIDER:NAME"),
        ("remote-graph:http://h", "remote-graph:ID@URL"),
        ("mcp:server", "mcp:URL"),
    ],
)
def test_other_references_are_refused(text: str, form: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_reference(text)
    assert "is not understood" in str(refused.value)
    assert form in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_tells_its_own_form(kind: str) -> None:
    assert KINDS[kind].form.startswith(f"{kind}:")
    with pytest.raises(SpecError, match="is not understood") as refused:
        parse_reference(f"{kind}:")
    assert KINDS[kind].form in str(refused.value)
    assert all(other.form not in str(refused.value) for name, other in KINDS.items() if name != kind)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"hf"}))
def test_every_kind_on_a_server_says_whether_one_answers(kind: str) -> None:
    def reference(port: int) -> ModelReference:
        url = f"http://127.0.0.1:{port}"
        return KINDS[kind]("" if kind == "mcp" else "m", "" if kind == "provider" else url)

    with serving(ChatServer()) as chat:
        assert reference(chat.port).reachable()
    assert reference(free_port()).reachable() is (kind == "provider")


def test_a_model_in_this_process_needs_no_server() -> None:
    assert parse_reference("hf:org/model").reachable()


def test_the_folders_of_a_local_model_are_those_beside_the_spec(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    worker = connect("hf:base#law?device=cpu", Connection("law", folder=tmp_path))
    assert isinstance(worker, LanguageModel)
    assert worker.reference == LocalReference(str(tmp_path / "base"), "", "law", {"device": "cpu"})


def test_a_chat_model_takes_what_is_given() -> None:
    given = Connection("law", "Be brief.", window=4096, summarises=True)
    worker = connect("openai:m@http://h/v1", given)
    assert worker == LanguageModel(OpenAIReference("m", "http://h/v1"), given)


class Unordered:
    """Ranks nothing."""

    def rank(self, query: str) -> Sequence[Choice]:
        return []

    def fit(self, query: str) -> float:
        return 1.0


@pytest.mark.parametrize(("general", "filled"), [("openai:m@http://h/v1", True), ("mcp:http://h/mcp", False)])
def test_the_general_model_fills_in_arguments_of_tools(general: str, filled: bool) -> None:
    given = Connection(
        "shop", "Be brief.", make_chooser=lambda functions: Unordered(), general=parse_reference(general)
    )
    worker = connect("mcp:http://h:8000/mcp", given)
    assert isinstance(worker, McpAgent)
    assert (worker.model is not None) is filled
    if isinstance(worker.model, LanguageModel):
        assert (worker.model.given.prompt, worker.model.given.silent) == ("", True)


def test_what_a_kind_needs_is_told() -> None:
    with pytest.raises(SpecError, match="chooser"):
        connect("mcp:http://h:8000/mcp", Connection("shop"))


async def test_a_local_model_without_a_manager_is_unavailable() -> None:
    worker = connect("hf:org/model", Connection("law"))
    assert isinstance(worker, Warmable)
    answer = await worker.answer(WorkerRequest("?"))
    assert answer.status == "unavailable"
    assert "model manager" in answer.text
