"""A language model behind a real HTTP server on loopback."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agents.generation import Generation
from agents.types import WorkerRequest, failure
from agents.workers.models.clients import EndpointReference, OpenAIReference, ProviderReference
from agents.workers.models.language_model import LanguageModel
from agents.workers.models.reference import Connection
from tests.loopback import ChatServer, free_port

REQUEST = WorkerRequest("6 times 7?", idempotency_key="turn:1:math")


def model(url: str, **settings: Any) -> LanguageModel:
    return LanguageModel(OpenAIReference("tiny", url), Connection("math", "You count.", **settings))


async def test_an_answer_with_prompt_and_conversation(server: ChatServer) -> None:
    request = WorkerRequest(
        "6 times 7?", conversation=[HumanMessage("Hello"), AIMessage("Hi")], idempotency_key="turn:1:math"
    )
    answer = await model(server.url).answer(request)
    assert (answer.status, answer.text) == ("answered", "Forty-two.")
    assert answer.evidence["model"] == "tiny"
    ((headers, body),) = server.requests
    assert headers["idempotency-key"] == "turn:1:math"
    assert body["model"] == "tiny"
    assert body["stream"] is True
    assert [(message["role"], message["content"]) for message in body["messages"]] == [
        ("system", "You count."),
        ("user", "Hello"),
        ("assistant", "Hi"),
        ("user", "6 times 7?"),
    ]


async def test_no_prompt_sends_no_system_message(server: ChatServer) -> None:
    await LanguageModel(OpenAIReference("tiny", server.url), Connection("math")).answer(REQUEST)
    assert [message["role"] for message in server.requests[0][1]["messages"]] == ["user"]


async def test_it_streams_word_by_word(server: ChatServer) -> None:
    chunks = [chunk.text async for chunk in model(server.url).chat.astream("6 times 7?")]
    assert [str(chunk) for chunk in chunks if chunk] == ["Forty", "-", "two", "."]


async def test_a_fault_of_the_server_is_tried_again_with_the_same_key(server: ChatServer) -> None:
    server.statuses = [500]
    answer = await model(server.url).answer(REQUEST)
    assert (answer.status, answer.text) == ("answered", "Forty-two.")
    assert [headers["idempotency-key"] for headers, _ in server.requests] == ["turn:1:math"] * 2


async def test_a_fault_that_stays_is_reported(server: ChatServer) -> None:
    server.statuses = [500, 500]
    answer = await model(server.url, retries=1).answer(REQUEST)
    assert answer.status == "unavailable"
    assert answer.text == "math was chosen, but its model 'tiny' failed. -v, or the log, says why."
    assert len(server.requests) == 2


async def test_a_refusal_is_not_tried_again(server: ChatServer) -> None:
    server.statuses = [404]
    answer = await model(server.url).answer(REQUEST)
    assert answer.status == "unavailable"
    assert "does the URL of its server end in /v1?" in answer.text
    assert len(server.requests) == 1


async def test_a_slow_server_is_given_up(server: ChatServer) -> None:
    server.delay = 1.0
    answer = await model(server.url, timeout=0.1, retries=0).answer(REQUEST)
    assert answer.status == "unavailable"
    assert "did not answer in time" in answer.text


async def test_without_a_server_it_says_what_shows_those_that_answer() -> None:
    answer = await model(f"http://127.0.0.1:{free_port()}/v1", retries=0).answer(REQUEST)
    assert answer.status == "unavailable"
    for text in ("math was chosen", "'tiny'", "nothing answers there", "octopus doctor"):
        assert text in answer.text
    assert "127.0.0.1" not in answer.text  # clients of a server read it too; it is in the log


async def test_a_refused_prompt_is_trimmed_to_the_window_that_the_server_names(server: ChatServer) -> None:
    server.statuses = [400]
    server.fault = "This model's maximum context length is 100 tokens. However, you requested 900 tokens."
    talk = [HumanMessage("x" * 900), AIMessage("y" * 900), HumanMessage("a"), AIMessage("b")]
    worker = model(server.url)
    answer = await worker.answer(WorkerRequest("6 times 7?", conversation=talk))
    assert (answer.status, answer.text) == ("answered", "Forty-two.")
    assert answer.evidence["trimmed"]["messages"] == 2
    assert answer.evidence["trimmed"]["window"] == worker.window == 100
    said = [message["content"] for message in server.requests[-1][1]["messages"]]
    assert said == ["You count.", "a", "b", "6 times 7?"]


async def test_an_image_is_sent_in_the_servers_form(server: ChatServer) -> None:
    picture = {"type": "image", "url": "https://example.org/leek.png"}
    await model(server.url).answer(WorkerRequest("What is this?", attachments=[picture]))
    sent = server.requests[0][1]["messages"][-1]["content"]
    assert sent[1] == {"type": "image_url", "image_url": {"url": "https://example.org/leek.png"}}


async def test_an_inference_endpoint_is_asked_below_v1(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    reference = EndpointReference("tgi", server.url.removesuffix("/v1"))
    answer = await LanguageModel(reference, Connection("math")).answer(REQUEST)
    assert (answer.status, answer.text) == ("answered", "Forty-two.")
    headers, body = server.requests[0]
    assert headers["authorization"] == "Bearer hf_secret"
    assert body["model"] == "tgi"


async def test_a_provider_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    answer = await LanguageModel(ProviderReference("openai:gpt-x"), Connection("math")).answer(REQUEST)
    assert answer.status == "unavailable"
    assert "pip install -e '.[provider]'" in answer.text


async def test_what_does_not_fit_is_summarised_where_that_is_wanted(server: ChatServer) -> None:
    talk = [HumanMessage("x" * 4000), AIMessage("y" * 4000), HumanMessage("a"), AIMessage("b")]
    worker = model(server.url, window=1000, summarises=True)
    answer = await worker.answer(WorkerRequest("6 times 7?", conversation=talk))
    assert answer.evidence["trimmed"]["messages"] == 2
    assert answer.evidence["trimmed"]["summary"] == "Forty-two."
    (_, summary), (_, question) = server.requests
    assert summary["messages"][1]["content"].endswith("y" * 100)
    assert len(summary["messages"][1]["content"]) < 4000
    assert summary["max_tokens"] == 160
    said = [message["content"] for message in question["messages"]]
    assert said[1:] == ["a", "b", "6 times 7?"]
    assert said[0] == "You count.\n\nEarlier in this conversation, in short: Forty-two."
    assert "max_completion_tokens" not in question


async def test_without_room_for_a_summary_there_is_none(server: ChatServer) -> None:
    worker = model(server.url, window=200, summarises=True)
    talk = [HumanMessage("x" * 4000), AIMessage("y" * 4000)]
    answer = await worker.answer(WorkerRequest("6 times 7?", conversation=talk))
    assert answer.status == "answered"
    assert "summary" not in answer.evidence["trimmed"]
    assert len(server.requests) == 1


async def test_words_are_no_call_where_one_is_demanded(server: ChatServer) -> None:
    tool = {
        "type": "function",
        "function": {"name": "now", "parameters": {"type": "object", "properties": {}}},
    }
    demanding = replace(REQUEST, generation=Generation(tools=(tool,), tool_choice="required"))
    answer = await model(server.url).answer(demanding)
    assert (answer.status, answer.failure) == ("unavailable", failure("invalid_output"))
    offering = replace(REQUEST, generation=Generation(tools=(tool,)))
    assert (await model(server.url).answer(offering)).text == "Forty-two."
