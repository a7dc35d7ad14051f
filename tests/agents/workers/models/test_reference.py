"""References to models, one line each."""

from __future__ import annotations

import pytest

from agents.errors import SpecError
from agents.workers.models.reference import ModelReference


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "openai:llama3.2@http://localhost:11434/v1",
            ModelReference("llama3.2", "http://localhost:11434/v1"),
        ),
        (" openai:org/model:7b@https://host/v1 ", ModelReference("org/model:7b", "https://host/v1")),
        ("openai:a@b@http://h/v1", ModelReference("a@b", "http://h/v1")),
        ("hf:Qwen/Qwen3-0.6B", ModelReference("Qwen/Qwen3-0.6B", kind="hf")),
        ("hf:/models/my base", ModelReference("/models/my base", kind="hf")),
        (
            "hf:base#adapters/law?dtype=bfloat16&device=cuda:1",
            ModelReference("base", "", "hf", "adapters/law", {"dtype": "bfloat16", "device": "cuda:1"}),
        ),
        ("hf-endpoint:https://e.example/", ModelReference("tgi", "https://e.example/", "hf-endpoint")),
        ("hf-endpoint:m@https://e.example", ModelReference("m", "https://e.example", "hf-endpoint")),
        ("provider:anthropic:claude-x", ModelReference("anthropic:claude-x", kind="provider")),
        ("provider:gpt-x", ModelReference("gpt-x", kind="provider")),
        ("remote-graph:agent@http://h:2024", ModelReference("agent", "http://h:2024", "remote-graph")),
        ("mcp:http://h:8000/mcp", ModelReference("", "http://h:8000/mcp", "mcp")),
    ],
)
def test_references(text: str, expected: ModelReference) -> None:
    assert ModelReference.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", "openai:NAME@URL"),
        ("llama3", "openai:NAME@URL"),
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
        ModelReference.parse(text)
    assert "is not understood" in str(refused.value)
    assert form in str(refused.value)
