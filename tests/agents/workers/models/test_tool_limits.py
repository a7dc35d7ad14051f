"""What bounds a model that calls tools: budgets, windows, servers that take none, what a client asks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agents.generation import Generation
from agents.types import Limits, WorkerRequest
from agents.workers.kinds import connect
from agents.workers.models import tool_calling
from agents.workers.models.reference import Connection
from tests.loopback import ChatServer
from tests.replies import Reply
from tests.toolboxes import add, ask, box, told
from tools.sandbox import Sandbox


async def test_calls_beyond_the_budget_are_not_made_and_the_model_answers_without_tools(
    server: ChatServer, sandbox: Sandbox
) -> None:
    called: list[int] = []

    def note(number: int) -> str:
        """Note a number."""
        called.append(number)
        return f"noted {number}"

    server.replies = [Reply(calls=[("note", {"number": n}) for n in range(5)]), Reply("Noted three.")]
    answer = await ask(server, box(sandbox, note), limits=Limits(calls=3))
    assert answer.text == "Noted three."
    assert sorted(called) == [0, 1, 2]
    steps = answer.evidence["steps"]
    assert [one.get("result") for one in steps] == ["noted 0", "noted 1", "noted 2", None, None]
    assert steps[4]["error"] == "not called: the budget of 3 tool calls is used up."
    assert answer.evidence["tools"]["note"] == "The budget of 3 tool calls is used up."
    last = server.requests[-1][1]
    assert "tools" not in last
    assert [one["role"] for one in last["messages"]] == ["system", "user"]  # as every template takes it
    assert 'note({"number": 2}): noted 2' in last["messages"][-1]["content"]
    assert not server.refused


async def test_tokens_bound_the_rounds(server: ChatServer, sandbox: Sandbox) -> None:
    server.replies = [Reply(calls=[("add", {"first": 1})]), Reply("Enough.")]
    answer = await ask(server, box(sandbox, add), limits=Limits(tokens=5))
    assert answer.text == "Enough."
    assert answer.evidence["tools"]["note"] == "The budget of 5 tokens is used up."
    assert len(server.requests) == 2


async def test_a_tool_that_hangs_is_left_behind(server: ChatServer, sandbox: Sandbox) -> None:
    async def hang() -> str:
        """Never return."""
        await asyncio.Event().wait()
        return ""

    server.replies = [Reply(calls=[("hang", {})]), Reply("It hangs.")]
    answer = await ask(server, box(sandbox, hang), seconds=4.0)
    assert answer.text == "It hangs."
    assert answer.evidence["steps"][0]["error"] == "it gave no result in time."
    assert "4 seconds leaves no time" in answer.evidence["tools"]["note"]


async def test_a_model_that_repeats_its_calls_is_asked_without_tools(
    server: ChatServer, sandbox: Sandbox
) -> None:
    server.replies = [Reply(calls=[("add", {"first": 1})])] * 2 + [Reply("Two.")]
    answer = await ask(server, box(sandbox, add))
    assert (answer.text, len(answer.evidence["steps"])) == ("Two.", 1)
    assert answer.evidence["tools"]["note"] == "The model asked for the same calls again."


@pytest.mark.parametrize("last", ["", '<tool_call>{"name": "add", "arguments": {"first": 9}}</tool_call>'])
async def test_a_model_that_only_calls_has_no_answer(server: ChatServer, sandbox: Sandbox, last: str) -> None:
    server.replies = [Reply(calls=[("add", {"first": n})]) for n in range(3)]
    server.replies[2] = Reply(last) if last else server.replies[2]
    answer = await ask(server, box(sandbox, add), limits=Limits(calls=2))
    assert answer.status == "unavailable"
    assert answer.failure and answer.failure["code"] == "empty_reply"
    assert len(answer.evidence["steps"]) == 2


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, "registry.ollama.ai/library/gemma:2b does not support tools"),
        (500, "tools param requires --jinja flag"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        (404, "No endpoints found that support tool use."),
    ],
)
async def test_a_server_without_tools_is_asked_again_once_and_remembered(
    server: ChatServer, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, status: int, fault: str
) -> None:
    monkeypatch.setattr(tool_calling, "_REFUSED", set())  # a later server may get this port
    server.statuses, server.fault = [status], fault
    server.replies = [Reply("By myself."), Reply("Again.")]
    tools = box(sandbox, add)
    first, second = await ask(server, tools), await ask(server, tools)
    assert (first.text, second.text) == ("By myself.", "Again.")
    note = "The model, or its server, takes no tools: it was asked without them."
    assert first.evidence["tools"] == second.evidence["tools"] == {"offered": [], "note": note}
    assert ["tools" in body for _, body in server.requests] == [True, False, False]


async def test_another_fault_is_a_failure_as_without_tools(server: ChatServer, sandbox: Sandbox) -> None:
    server.statuses, server.fault = [400], "the temperature is too high"
    answer = await ask(server, box(sandbox, add))
    assert answer.status == "unavailable"
    assert len(server.requests) == 1


async def test_a_server_that_refuses_results_is_told_them_in_the_question(
    server: ChatServer, sandbox: Sandbox
) -> None:
    def reply(body: Any) -> Reply:
        known = "42" in body["messages"][-1]["content"]
        return Reply("42.") if known else Reply(calls=[("add", {"first": 17, "second": 25})])

    server.reply = reply
    server.statuses = [200, 400]
    server.fault = "After the optional system message, conversation roles must alternate user/assistant"
    answer = await ask(server, box(sandbox, add))
    assert answer.text == "42."
    assert [role for role, _ in told(server)] == ["system", "user"]
    assert "told in the question" in answer.evidence["tools"]["note"]


@pytest.mark.parametrize(
    "generation",
    [
        Generation(n=2),
        Generation(response_format={"type": "json_object"}),
        Generation(tools=({"type": "function", "function": {"name": "theirs", "parameters": {}}},)),
    ],
)
async def test_own_tools_do_not_go_with_what_a_client_asks(
    server: ChatServer, sandbox: Sandbox, generation: Generation
) -> None:
    server.replies = [Reply("{}", others=["{}"])]
    answer = await ask(server, box(sandbox, add), generation=generation)
    assert answer.status == "answered"
    names = [one["function"]["name"] for one in server.requests[0][1].get("tools", ())]
    assert "add" not in names
    assert "do not go with" in answer.evidence["tools"]["note"]


async def test_words_are_asked_without_tools_of_ours(server: ChatServer, sandbox: Sandbox) -> None:
    tools = box(sandbox, add, shipped=("calculus.derivative",))
    await ask(server, tools, "Thanks!", readings=())
    (tool,) = server.requests[0][1]["tools"]
    assert tool["function"]["name"] == "add"
    await ask(server, box(sandbox, shipped=("calculus.derivative",)), "Thanks!", readings=())
    assert "tools" not in server.requests[1][1]
    await ask(server, tools, limits=Limits(calls=0))
    assert "tools" not in server.requests[2][1]


async def test_only_the_best_tools_are_offered_and_fewer_in_a_small_window(
    server: ChatServer, sandbox: Sandbox
) -> None:
    tools = box(sandbox, add, shipped=("calculus", "algebra", "arithmetic"))
    await ask(server, tools)
    assert len(server.requests[0][1]["tools"]) == 8
    given = Connection("desk", window=1500, tools=tools)
    worker = connect(f"openai:tiny@{server.url}", given)
    said = [HumanMessage("word " * 100)]
    answer = await worker.answer(WorkerRequest("Why?", readings=("Why?",), conversation=said))
    assert answer.status == "answered"
    assert 1 <= len(server.requests[1][1]["tools"]) < 4


async def test_long_results_are_cut_to_the_window(server: ChatServer, sandbox: Sandbox) -> None:
    def book(page: int) -> str:
        """Read a page."""
        return "word " * 50_000

    server.replies = [Reply(calls=[("book", {"page": 1}), ("book", {"page": 2})]), Reply("Long.")]
    worker = connect(f"openai:tiny@{server.url}", Connection("desk", window=4000, tools=box(sandbox, book)))
    answer = await worker.answer(WorkerRequest("Read on."))
    assert answer.text == "Long."
    results = [content for role, content in told(server) if role == "tool"]
    assert all(one.endswith("(cut off; 250,000 characters in all)") for one in results)
    assert sum(map(len, results)) < 4000 * 3
    assert all(len(one["result"]) < 5000 for one in answer.evidence["steps"])


async def test_a_clients_tool_that_is_called_in_text_is_called(server: ChatServer, sandbox: Sandbox) -> None:
    theirs = {"type": "function", "function": {"name": "theirs", "parameters": {"type": "object"}}}
    server.replies = [Reply('<tool_call>{"name": "theirs", "arguments": {"one": 1}}</tool_call>')]
    answer = await ask(server, box(sandbox, add), generation=Generation(tools=(theirs,)))
    (call,) = answer.calls
    assert (call["name"], call["args"], answer.text) == ("theirs", {"one": 1}, "")
    assert "steps" not in answer.evidence


async def test_a_server_that_drops_tools_in_silence_is_noticed(server: ChatServer, sandbox: Sandbox) -> None:
    server.replies = [Reply("By heart: 42.")]
    answer = await ask(server, box(sandbox, add))
    assert answer.text == "By heart: 42."
    assert answer.evidence["tools"] == {
        "offered": ["add"],
        "note": "The model read 7 tokens: its server does not show it these tools.",
    }
