"""Responses, with the official OpenAI client."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from tests.app.server.live import BREAD, CUBE, Live
from tests.loopback import ChatServer
from tests.replies import Reply


def test_responses_go_on_from_one_another(live: Live) -> None:
    with live.openai() as client:
        first = client.responses.create(model="house", input="What is the derivative of x^3?")
        for _ in range(2):  # two answers may go on from one
            second: Any = client.responses.create(
                model="house", input="And its second derivative?", previous_response_id=first.id
            )
            assert second.octopus["hops"][0]["evidence"]["arguments"]["order"] == 2
        assert "3*x^2" in first.output_text
        assert second.previous_response_id == first.id
        forgotten = client.responses.create(model="house", input=CUBE, store=False)
        for unknown in (forgotten.id, "resp_x.y", "resp_", "x" * 50):
            with pytest.raises(openai.NotFoundError):
                client.responses.create(model="house", input=CUBE, previous_response_id=unknown)
    with live.openai("bob") as client, pytest.raises(openai.NotFoundError):
        client.responses.create(model="house", input=CUBE, previous_response_id=first.id)


def test_items_of_earlier_responses_may_be_named(live: Live, chat: ChatServer) -> None:
    tool: Any = {"type": "function", "name": "price", "parameters": {"type": "object"}, "strict": None}
    asked: list[Any] = [{"role": "user", "content": BREAD}]
    chat.replies = [Reply("Let me see.", calls=[("price", {"of": "flour"})]), Reply("Five.")]
    with live.openai() as client:
        first = client.responses.create(model="house", input=asked, tools=[tool])
        named: list[Any] = [{"type": "item_reference", "id": item.id} for item in first.output]
        assert [item.type for item in first.output] == ["reasoning", "message", "function_call"]
        call: Any = first.output[-1]
        result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "5"}
        second = client.responses.create(model="house", input=[*asked, *named, result], tools=[tool])
        assert second.output_text == "Five."
        for unknown in ("msg_x.y", "fc_x.y.0", f"{call.id}9", "other", "msg_"):
            wrong: Any = [{"type": "item_reference", "id": unknown}, *asked]
            with pytest.raises(openai.NotFoundError, match="There is no such item"):
                client.responses.create(model="house", input=wrong)
    with live.openai("bob") as client, pytest.raises(openai.NotFoundError):
        client.responses.create(model="house", input=[*named[1:], *asked])
    sent = chat.requests[-1][1]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
    assert (sent[1]["content"], sent[1]["tool_calls"][0]["function"]["name"]) == ("Let me see.", "price")


def test_a_response_streams(live: Live, chat: ChatServer) -> None:
    chat.words = ["Knead", " and", " bake."]
    with live.openai() as client, client.responses.stream(model="house", input=BREAD) as stream:
        kinds = [event.type for event in stream]
        done = stream.get_final_response()
    assert kinds.count("response.output_text.delta") == 3
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert done.output_text == "Knead and bake."


def test_a_response_that_waits_is_gone_on_with(live: Live) -> None:
    with live.openai() as client:
        first: Any = client.responses.create(
            model="house", input=CUBE, extra_body={"octopus": {"approve": True}}
        )
        assert first.octopus["asked"]
        second: Any = client.responses.create(model="house", input="y", previous_response_id=first.id)
    assert second.output_text.startswith("12\n")
    assert second.octopus["asked"] == []
