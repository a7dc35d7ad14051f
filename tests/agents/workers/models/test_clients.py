"""Models of providers, by way of `init_chat_model`; the provider is a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agents.types import WorkerRequest
from agents.workers.models.clients import ProviderReference
from agents.workers.models.language_model import LanguageModel
from agents.workers.models.reference import Connection
from tests.loopback import ChatServer, serving

pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    with serving(ChatServer()) as chat:
        monkeypatch.setenv("OPENAI_API_KEY", "key")
        monkeypatch.setenv("OPENAI_BASE_URL", chat.url)
        yield chat


def model(name: str, timeout: float = 20.0) -> LanguageModel:
    return LanguageModel(ProviderReference(name), Connection("math", "You count.", timeout=timeout))


async def test_a_provider_answers(server: ChatServer) -> None:
    answer = await model("openai:gpt-x").answer(WorkerRequest("6 times 7?"))
    assert (answer.status, answer.text) == ("answered", "Forty-two."), answer
    assert answer.evidence["model"] == "openai:gpt-x"
    assert server.requests[0][1]["model"] == "gpt-x"


async def test_a_refusal_is_told(server: ChatServer) -> None:
    server.statuses = [404]
    answer = await model("openai:gpt-x").answer(WorkerRequest("6 times 7?"))
    assert answer.status == "unavailable"
    assert answer.failure is not None
    assert answer.failure["code"] == "not_found"


async def test_a_slow_provider_is_given_up(server: ChatServer) -> None:
    server.delay = 1.5
    answer = await model("openai:gpt-x", timeout=0.5).answer(WorkerRequest("6 times 7?"))
    assert answer.status == "unavailable"
    assert answer.failure is not None
    assert answer.failure["code"] == "timeout"


async def test_a_missing_key_or_package_or_provider_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    answer = await model("openai:gpt-x").answer(WorkerRequest("?"))
    assert answer.status == "unavailable"
    assert "the provider of 'openai:gpt-x'" in answer.text
    answer = await model("mistralai:m").answer(WorkerRequest("?"))
    assert "langchain-mistralai" in answer.text or "langchain_mistralai" in answer.text
    answer = await model("nobody:m").answer(WorkerRequest("?"))
    assert answer.status == "unavailable"
    assert "nobody" in answer.text
