"""What a client asks of a model, and what the model gives: calls, thoughts, reasons and probabilities."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from tests.app.server.live import BREAD, CUBE, Live
from tests.loopback import ChatServer
from tests.replies import Reply

ADD = {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}}
TOOLS: Any = [{"type": "function", "function": ADD}]
FLAT: Any = [{"type": "function", **ADD, "strict": None}]
SAID: Any = {"role": "user", "content": BREAD}
CALLS = Reply(calls=[("add", {"a": 1, "b": "ü"}), ("add", {"a": 2})])


@pytest.fixture
def client(live: Live) -> Any:
    with live.openai() as client:
        yield client


@pytest.mark.parametrize("thread", [None, "tools"])
def test_a_loop_of_tools(client: openai.OpenAI, chat: ChatServer, thread: str | None) -> None:
    chat.replies = [CALLS, Reply("It is three.")]
    headers = {"X-Octopus-Thread": thread} if thread else {}
    ask: Any = client.chat.completions.create
    (choice,) = ask(model="house", messages=[SAID], tools=TOOLS, extra_headers=headers).choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    first, second = choice.message.tool_calls
    assert json.loads(first.function.arguments) == {"a": 1, "b": "ü"}
    assert first.id.startswith("cooking__")
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": text}
        for call, text in ((first, "1"), (second, "2"))
    ]
    sent = results if thread else [SAID, choice.message, *results]
    done = ask(model="house", messages=sent, tools=TOOLS, extra_headers=headers)
    assert done.choices[0].message.content == "It is three."
    assert done.octopus["path"] == ["cooking"]
    roles = [message["role"] for message in chat.requests[-1][1]["messages"]]
    assert roles[-4:] == ["user", "assistant", "tool", "tool"]
    assert [message["content"] for message in chat.requests[-1][1]["messages"][-2:]] == ["1", "2"]
    assert not chat.refused


def test_a_wrong_result_does_not_stay_in_a_thread(client: openai.OpenAI, chat: ChatServer) -> None:
    headers = {"X-Octopus-Thread": "wrong"}
    ask: Any = client.chat.completions.create
    chat.replies = [CALLS]
    (choice,) = ask(model="house", messages=[SAID], tools=TOOLS, extra_headers=headers).choices
    right = [{"role": "tool", "tool_call_id": call.id, "content": "1"} for call in choice.message.tool_calls]
    for wrong in (right[:1], [{**right[0], "tool_call_id": "x"}, right[1]]):
        with pytest.raises(openai.BadRequestError):
            ask(model="house", messages=wrong, tools=TOOLS, extra_headers=headers)
    chat.statuses = [400] * 9
    with pytest.raises(openai.InternalServerError):  # and may be sent again after a failure
        ask(model="house", messages=right, tools=TOOLS, extra_headers=headers)
    chat.statuses = []
    done = ask(model="house", messages=right, tools=TOOLS, extra_headers=headers)
    assert done.choices[0].message.content == "Forty-two."
    assert [one["role"] for one in chat.requests[-1][1]["messages"]][-3:] == ["assistant", "tool", "tool"]
    assert not chat.refused


def test_calls_stream_as_deltas(client: openai.OpenAI, chat: ChatServer) -> None:
    chat.replies = [CALLS]
    stream = client.chat.completions.create(model="house", messages=[SAID], tools=TOOLS, stream=True)
    found: dict[int, list[str]] = {}
    for chunk in stream:
        for delta in chunk.choices[0].delta.tool_calls or ():
            assert delta.function is not None
            found.setdefault(delta.index, [str(delta.function.name), ""])[1] += delta.function.arguments or ""
    assert {index: (name, json.loads(text)) for index, (name, text) in found.items()} == {
        0: ("add", {"a": 1, "b": "ü"}),
        1: ("add", {"a": 2}),
    }
    assert chunk.choices[0].finish_reason == "tool_calls"


def test_a_loop_of_tools_in_responses(client: openai.OpenAI, chat: ChatServer) -> None:
    chat.replies = [CALLS, Reply("It is three.")]
    with client.responses.stream(model="house", input=BREAD, tools=FLAT) as stream:
        kinds = [event.type for event in stream]
        first: Any = stream.get_final_response()
    assert kinds.count("response.function_call_arguments.done") == 2
    calls = [item for item in first.output if item.type == "function_call"]
    assert [json.loads(call.arguments) for call in calls] == [{"a": 1, "b": "ü"}, {"a": 2}]
    outputs: Any = [{"type": "function_call_output", "call_id": one.call_id, "output": "1"} for one in calls]
    done: Any = client.responses.create(
        model="house", input=outputs, tools=FLAT, previous_response_id=first.id
    )
    assert (done.output_text, done.octopus["path"]) == ("It is three.", ["cooking"])
    assert (done.tools[0].name, done.tool_choice) == ("add", "auto")
    assert not chat.refused


def test_why_an_answer_ends_is_the_models(client: openai.OpenAI, chat: ChatServer) -> None:
    chat.words = ["one", " two", " three"]
    ask = client.chat.completions.create
    for stream in (False, True):
        for limit in ({"max_tokens": 2}, {"max_completion_tokens": 2}):
            done: Any = ask(model="house", messages=[SAID], stream=stream, **limit)  # type: ignore[call-overload]
            last = list(done)[-1] if stream else done
            assert last.choices[0].finish_reason == "length"
    response = client.responses.create(model="house", input=BREAD, max_output_tokens=2)
    assert (response.status, response.output_text) == ("incomplete", "one two")
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


def test_thoughts_stand_beside_the_answer(client: openai.OpenAI, chat: ChatServer) -> None:
    chat.replies = [Reply("Bake.", reasoning="Flour first.")] * 4
    ask: Any = client.chat.completions.create
    (choice,) = ask(model="house", messages=[SAID]).choices
    assert choice.message.content == "Bake."
    assert choice.message.reasoning_content.endswith("\n\nFlour first.")
    chunks = [chunk.choices[0].delta for chunk in ask(model="house", messages=[SAID], stream=True)]
    assert "".join(one.content or "" for one in chunks) == "Bake."
    thoughts = "".join(getattr(one, "reasoning_content", None) or "" for one in chunks)
    assert thoughts == choice.message.reasoning_content
    with client.responses.stream(model="house", input=BREAD) as stream:
        kinds = [event.type for event in stream]
        streamed: Any = stream.get_final_response()
    assert "response.reasoning_text.delta" in kinds
    for response in (streamed, client.responses.create(model="house", input=BREAD)):
        item: Any = response.output[0]
        assert [part.text for part in item.content] == ["Flour first."]
        assert item.summary[0].text.startswith("chief → <nexa_0> cooking")


def test_several_answers_and_probabilities(client: openai.OpenAI, chat: ChatServer) -> None:
    chat.replies = [Reply("Bake it.", others=["Fry it."])] * 2
    ask: Any = client.chat.completions.create
    done = ask(model="house", messages=[SAID], n=2)
    assert [one.message.content for one in done.choices] == ["Bake it.", "Fry it."]
    texts = {0: "", 1: ""}
    for chunk in ask(model="house", messages=[SAID], n=2, stream=True):
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert texts == {0: "Bake it.", 1: "Fry it."}
    chat.replies = [Reply("Bake it.", others=["Fry it in oil."])] * 2
    done = ask(model="house", messages=[SAID], n=2, max_tokens=2)
    assert [one.finish_reason for one in done.choices] == ["stop", "length"]
    ends = [chunk.choices[0] for chunk in ask(model="house", messages=[SAID], n=2, max_tokens=2, stream=True)]
    assert [(one.index, one.finish_reason) for one in ends if one.finish_reason] == [
        (0, "stop"),
        (1, "length"),
    ]
    chat.words = ["Bake", " it."]
    for stream in (False, True):
        told = ask(model="house", messages=[SAID], logprobs=True, top_logprobs=1, stream=stream)
        choices = [one.choices[0] for one in told] if stream else told.choices
        content = [token for one in choices for token in (one.logprobs.content if one.logprobs else ())]
        assert [token.token for token in content] == ["Bake", " it."]
        assert len(content[0].top_logprobs) == 1
    include: Any = ["message.output_text.logprobs"]
    part: Any = client.responses.create(model="house", input=BREAD, include=include).output[1]
    assert [token.token for token in part.content[0].logprobs] == ["Bake", " it."]


def test_a_form_is_asked_for_and_checked(client: openai.OpenAI, chat: ChatServer) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    form: Any = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    chat.replies = [Reply('{"a": 1}'), *[Reply("no JSON")] * 3]
    done = client.chat.completions.create(model="house", messages=[SAID], response_format=form)
    assert json.loads(done.choices[0].message.content or "") == {"a": 1}
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="house", messages=[SAID], response_format=form)
    assert caught.value.code == "invalid_output"


def test_what_the_client_says_of_itself_is_given_back(client: openai.OpenAI) -> None:
    told: dict[str, Any] = {"user": "u1", "safety_identifier": "s1", "prompt_cache_key": "k1"}
    told["metadata"] = {"case": "7"}
    done: Any = client.chat.completions.create(
        model="house", messages=[{"role": "user", "content": CUBE}], **told
    )
    response: Any = client.responses.create(model="house", input=CUBE, **told)
    for name, value in told.items():
        assert getattr(done, name) == getattr(response, name) == value


def test_new_instructions_replace_old_ones_and_none_end_them(client: openai.OpenAI, chat: ChatServer) -> None:
    first = client.responses.create(model="house", input=BREAD, instructions="Be brief.")
    second = client.responses.create(
        model="house", input="And rolls?", instructions="Be long.", previous_response_id=first.id
    )
    client.responses.create(model="house", input="And cake?", previous_response_id=second.id)
    systems = [
        [one["content"] for one in body["messages"] if one["role"] == "system"] for _, body in chat.requests
    ]
    assert "Be brief." in systems[0][0]
    assert "Be long." in systems[1][0]
    assert "Be brief." not in systems[1][0]
    assert not any("Be " in text for text in systems[2])
    assert not chat.refused
