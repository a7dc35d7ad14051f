"""A model that calls tools, behind a strict server on loopback: calls, results and faults."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from langchain_core.tools import BaseTool, StructuredTool, ToolException

from tests.loopback import ChatServer
from tests.replies import Reply
from tests.toolboxes import add, ask, box, told, weather
from tools.sandbox import Sandbox


async def test_a_call_runs_and_its_result_goes_back(server: ChatServer, sandbox: Sandbox) -> None:
    server.replies = [Reply(calls=[("add", {"first": 17, "second": 25})]), Reply("It is 42.")]
    answer = await ask(server, box(sandbox, add))
    assert (answer.status, answer.text) == ("answered", "It is 42.")
    (step,) = answer.evidence["steps"]
    assert step.pop("seconds") >= 0
    assert step == {"tool": "add", "arguments": {"first": 17, "second": 25}, "result": "42"}
    assert answer.evidence["tools"] == {"offered": ["add"]}
    assert answer.evidence["usage"]["total_tokens"] == 7 + 10  # of both rounds
    assert answer.evidence["finish_reason"] == "stop"
    first, second = (body for _, body in server.requests)
    assert first["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "add",
                "description": "Add whole numbers.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "first": {"type": "integer", "description": "one of them."},
                        "second": {"type": "integer", "description": "the other.", "default": 1},
                    },
                    "required": ["first"],
                },
            },
        }
    ]
    assert second["tools"] == first["tools"]
    assert told(server)[-1] == ("tool", "42")
    assert not server.refused


async def test_calls_at_once_run_in_parallel_and_results_keep_their_order(
    server: ChatServer, sandbox: Sandbox
) -> None:
    meeting = threading.Barrier(3)

    def slow(seconds: float) -> str:
        """Wait for the others, then for some time."""
        meeting.wait(timeout=30)  # nobody passes alone
        time.sleep(seconds)
        return f"after {seconds}"

    waits = (0.2, 0.0, 0.1)
    server.replies = [Reply(calls=[("slow", {"seconds": one}) for one in waits]), Reply("Done.")]
    answer = await ask(server, box(sandbox, slow))
    assert answer.text == "Done."
    assert [one["result"] for one in answer.evidence["steps"]] == [f"after {one}" for one in waits]
    assert [content for role, content in told(server) if role == "tool"] == [f"after {one}" for one in waits]


async def test_several_rounds_and_what_is_said_between_them(server: ChatServer, sandbox: Sandbox) -> None:
    server.replies = [
        Reply("I look it up.", calls=[("weather", {"city": "Oslo"})]),
        Reply(calls=[("add", {"first": 1})]),
        Reply("Clear, and 2."),
    ]
    answer = await ask(server, box(sandbox, add, weather))
    assert answer.text == "Clear, and 2."
    assert answer.evidence["reasoning"] == "I look it up."
    results = [one["result"] for one in answer.evidence["steps"]]
    assert results == ['{"city": "Oslo", "sky": "clear"}', "2"]
    assert not server.refused


async def test_functions_of_ours_run_in_the_sandbox_and_read_what_models_write(
    server: ChatServer, sandbox: Sandbox
) -> None:
    calls = [
        ("geography_capital", {"country": "Kenya"}),
        ("calculus_derivative", {"expression": "x^3", "order": "2"}),
        ("dates_today", {}),
        ("calculus_derivative", {"expression": "f(x"}),
    ]
    server.replies = [Reply(calls=calls), Reply("There.")]
    shipped = ("geography.capital", "calculus.derivative", "dates.today")
    answer = await ask(server, box(sandbox, shipped=shipped))
    steps = answer.evidence["steps"]
    names = [one["tool"] for one in steps]
    assert names == [name.replace("_", ".", 1) for name, _ in calls]
    assert [one.get("result") for one in steps[:2]] == ["Nairobi", "6*x"]
    assert time.strftime("%Y") in steps[2]["result"]
    assert "error" in steps[3]
    assert "Computed with" not in answer.text  # it is a model's answer
    offered = [one["function"]["name"] for one in server.requests[0][1]["tools"]]
    assert offered == ["geography_capital", "calculus_derivative", "dates_today"]
    schema = server.requests[0][1]["tools"][2]["function"]["parameters"]
    assert "now" not in schema["properties"]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (("divide", {"first": 1}), "there is no such tool. Known are add, weather."),
        (("add", {"first": "seventeen"}), "its argument 'first': 'seventeen' is not of type 'integer'"),
        (("add", {}), "'first' is a required property"),
        (("add", {"first": 1, "third": 3}), "it has no argument 'third'; its arguments are first, second."),
        (("add", '{"first": 1'), None),  # LangChain mends it
        (("add", "first=1"), "its arguments are not a JSON object."),
        (("weather", {"city": "Atlantis"}), "ValueError: it is under water"),
    ],
)
async def test_what_is_wrong_with_a_call_is_told_to_the_model_in_a_line(
    server: ChatServer, sandbox: Sandbox, call: tuple[str, Any], error: str | None
) -> None:
    server.replies = [Reply(calls=[call]), Reply("I cannot.")]
    answer = await ask(server, box(sandbox, add, weather))
    assert (answer.status, answer.text) == ("answered", "I cannot.")
    (step,) = answer.evidence["steps"]
    assert step.get("error") == error
    result = told(server)[-1]
    assert result == ("tool", f"Error: {error}" if error else "2")
    assert not server.refused
    json.dumps(answer.evidence)


async def test_text_that_stands_for_a_value_is_read_as_it(server: ChatServer, sandbox: Sandbox) -> None:
    server.replies = [Reply(calls=[("add", {"first": "17", "second": 25.0})]), Reply("42.")]
    answer = await ask(server, box(sandbox, add))
    assert answer.evidence["steps"][0]["result"] == "42"


async def test_a_tool_may_do_anything_and_the_turn_goes_on(server: ChatServer, sandbox: Sandbox) -> None:
    def leave() -> str:
        """End the program."""
        raise SystemExit(3)

    async def refuse() -> str:
        """Refuse."""
        raise ToolException("not today")

    class Odd(BaseTool):
        name: str = "odd"
        description: str = "Returns what is no JSON."

        def _run(self) -> Any:
            return {1, 2} if self.name else None

    server.replies = [Reply(calls=[("leave", {}), ("refuse", {}), ("odd", {})]), Reply("So be it.")]
    answer = await ask(server, box(sandbox, leave, refuse, Odd()))
    assert answer.text == "So be it."
    assert [one.get("error") for one in answer.evidence["steps"]] == [
        "SystemExit: 3",
        "ToolException: not today",
        None,
    ]


async def test_a_call_written_as_text_is_a_call(server: ChatServer, sandbox: Sandbox) -> None:
    written = '<tool_call>\n{"name": "add", "arguments": {"first": 17, "second": 25}}\n</tool_call>'
    server.replies = [Reply(written), Reply("It is 42.")]
    answer = await ask(server, box(sandbox, add))
    assert (answer.text, answer.evidence["steps"][0]["result"]) == ("It is 42.", "42")
    assert not server.refused


async def test_names_that_servers_refuse_are_respelt(server: ChatServer, sandbox: Sandbox) -> None:
    twins = [StructuredTool.from_function(add, name=name) for name in ("shop.add", "shop add")]
    server.replies = [Reply(calls=[("shop_add_2", {"first": 1})]), Reply("2.")]
    answer = await ask(server, box(sandbox, *twins))
    assert answer.evidence["steps"][0]["tool"] == "shop add"


async def test_thinking_stays_apart_in_every_round(server: ChatServer, sandbox: Sandbox) -> None:
    server.replies = [
        Reply("<think>I need a sum.</think>", calls=[("add", {"first": 41})]),
        Reply("<think>So that is it.</think>It is 42."),
    ]
    answer = await ask(server, box(sandbox, add))
    assert answer.text == "It is 42."
    assert "I need a sum." in answer.evidence["reasoning"]
    assert "So that is it." in answer.evidence["reasoning"]
    assert "think" not in json.dumps(server.requests[-1][1]["messages"])
