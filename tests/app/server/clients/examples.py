"""What the model says in each example, what every client must make of it, and what the model must be sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.app.server.clients.loop import BREAD, MORE, SHOPPING, SYSTEM
from tests.replies import Reply

Bodies = Sequence[dict[str, Any]]
PRICE, WEATHER = ("price", {"of": "bread"}), ("weather", {"place": "Rome"})
RECIPE = {"name": "bread", "minutes": 40}
WRONG = ("Recipe", {"name": "bread", "minutes": "long"})
SAID = Reply("Knead and bake.")
FORMED = Reply(json.dumps(RECIPE))
SHOPPED = "Bread costs 5 euros, and Rome is sunny."


@dataclass(frozen=True)
class Example:
    """A scripted exchange.

    Attributes:
        result: what the client's program gives back; of a dictionary, these entries.
        replies: of the model.
        statuses: of the model, before that; "once" are as many as the server tries in one turn.
        delay: seconds before the model begins.
        sent: checks the bodies of the requests that the model got.
    """

    result: Any
    replies: list[Reply] = field(default_factory=lambda: [SAID])
    statuses: list[int] = field(default_factory=list)
    delay: float = 0.0
    sent: Callable[[Bodies], None] = lambda bodies: None


def roles(body: dict[str, Any]) -> list[str]:
    return [message["role"] for message in body["messages"]]


def ruled(bodies: Bodies) -> None:
    assert [roles(body) for body in bodies] == [["system", "user"]]
    assert [message["content"] for message in bodies[0]["messages"]] == [SYSTEM, BREAD]


def remembered(bodies: Bodies) -> None:
    assert [message["content"] for message in bodies[-1]["messages"]] == [BREAD, "Knead and bake.", MORE]


def instructed(bodies: Bodies) -> None:
    """New instructions replace the old ones."""
    first, second = ([message["content"] for message in body["messages"]] for body in bodies)
    assert first == [SYSTEM, BREAD]
    assert second == ["Be brief.", BREAD, "Knead and bake.", MORE]


def limited(bodies: Bodies) -> None:
    (body,) = bodies
    assert body.get("max_tokens") == 2 or body.get("max_completion_tokens") == 2
    assert {name: body.get(name) for name in ("temperature", "top_p", "seed", "presence_penalty")} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "presence_penalty": 0.5,
    }
    assert body["stop"] in ("END", ["END"])


def formed(bodies: Bodies) -> None:
    form = bodies[-1]["response_format"]
    assert form["type"] == "json_schema"
    assert set(form["json_schema"]["schema"]["properties"]) == set(RECIPE)


def free(bodies: Bodies) -> None:
    assert bodies[-1]["response_format"] == {"type": "json_object"}


def looped(bodies: Bodies) -> None:
    """Each request goes on with the calls and the results of those before."""
    assert SHOPPING in json.dumps(bodies[-1]["messages"])
    for body in bodies:
        assert {tool["function"]["name"] for tool in body["tools"]} >= {"price", "weather"}
        assert all(tool["function"]["parameters"]["properties"] for tool in body["tools"])
    told = [message["content"] for message in bodies[-1]["messages"] if message["role"] == "tool"]
    assert [text if isinstance(text, str) else text[0]["text"] for text in told] == ["5", "sunny"]


def at_once(bodies: Bodies) -> None:
    looped(bodies)
    assert roles(bodies[-1])[-4:] == ["user", "assistant", "tool", "tool"]
    made = bodies[-1]["messages"][-3]["tool_calls"]
    assert [call["function"]["name"] for call in made] == ["price", "weather"]
    assert [json.loads(call["function"]["arguments"]) for call in made] == [PRICE[1], WEATHER[1]]


def one_by_one(bodies: Bodies) -> None:
    looped(bodies)
    assert roles(bodies[-1])[-5:] == ["user", "assistant", "tool", "assistant", "tool"]


def chosen(bodies: Bodies) -> None:
    (body,) = bodies
    assert body["tool_choice"] == {"type": "function", "function": {"name": "price"}}


def untouched(bodies: Bodies) -> None:
    assert not bodies


CALLS = [["price", PRICE[1]], ["weather", WEATHER[1]]]
SHOPPING_DONE = {"text": SHOPPED, "calls": CALLS}
AT_ONCE = [Reply("One moment.", calls=[PRICE, WEATHER]), Reply(SHOPPED)]
ONE_BY_ONE = [Reply(calls=[PRICE]), Reply(calls=[WEATHER]), Reply(SHOPPED)]
STREAMED = {"pieces": 3, "text": "Knead and bake.", "tokens": 10}
EXAMPLES = {
    "plain": Example("Knead and bake."),
    "system": Example("Knead and bake.", sent=ruled),
    "turns": Example("Use soda.", [SAID, Reply("Use soda.")], sent=remembered),
    "stream": Example(STREAMED),
    "parameters": Example({"text": "Knead and", "finish": "length"}, sent=limited),
    "json": Example(RECIPE, [FORMED], sent=free),
    "schema": Example(RECIPE, [FORMED], sent=formed),
    "schema_stream": Example(RECIPE, [FORMED], sent=formed),
    "schema_tool": Example(RECIPE, [Reply(calls=[("Recipe", RECIPE)])]),
    "corrected": Example(RECIPE, [Reply(calls=[WRONG]), Reply(calls=[("Recipe", RECIPE)])]),
    "parallel": Example(CALLS, [Reply(calls=[PRICE, WEATHER])]),
    "tools": Example(SHOPPING_DONE, AT_ONCE, sent=at_once),
    "tools_stream": Example(SHOPPING_DONE, AT_ONCE, sent=at_once),
    "forced": Example({"finish": "tool_calls", "calls": CALLS[:1]}, [Reply(calls=[PRICE])], sent=chosen),
    "agent": Example(SHOPPING_DONE, ONE_BY_ONE, sent=one_by_one),
    "agent_stream": Example(SHOPPING_DONE, ONE_BY_ONE, sent=one_by_one),
    "thinking": Example(
        {"text": "Knead and bake."}, [Reply("<think>Flour first.</think>\n\nKnead and bake.")]
    ),
    "choices": Example(["Knead and bake.", "Buy it."], [Reply("Knead and bake.", others=["Buy it."])]),
    "logprobs": Example([["Knead", 2], [" and", 2], [" bake.", 2]]),
    "responses": Example("Knead and bake."),
    "responses_turns": Example("Use soda.", [SAID, Reply("Use soda.")], sent=instructed),
    "responses_stream": Example(STREAMED),
    "responses_schema": Example(RECIPE, [FORMED], sent=formed),
    "responses_tools": Example(SHOPPING_DONE, AT_ONCE, sent=at_once),
    "responses_tools_kept": Example(SHOPPING_DONE, AT_ONCE, sent=at_once),
    "unauthorized": Example({"status": 401}, sent=untouched),
    "unknown_model": Example({"status": 404, "code": "model_not_found"}, sent=untouched),
    "out_of_range": Example({"status": 400, "param": "temperature"}, sent=untouched),
    "not_offered": Example({"status": 400, "param": "modalities"}, sent=untouched),
    "no_such_route": Example({"status": 404}, sent=untouched),
    "retried": Example("Knead and bake.", statuses=[429]),
    "overloaded": Example({"status": 503, "code": "overloaded"}, statuses=[503] * 9),
    "filtered": Example({"status": 422, "code": "filtered"}, [Reply(finish="content_filter")] * 9),
    "broken_stream": Example({"code": "server_error"}, statuses=[500] * 9),
    "given_up": Example("timeout", delay=6.0),
}
