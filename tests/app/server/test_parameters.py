"""Parameters: each of OpenAI's is used, is what happens anyway, or is refused by its name."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from openai.types.responses.response_create_params import ResponseCreateParamsBase
from pydantic import ValidationError

from app.server.chat_completions import ChatRequest
from app.server.errors import ApiError, invalid
from app.server.parameters import AnyRequest
from app.server.responses import ResponseRequest

ASKED = [{"role": "user", "content": "?"}]
ADD = {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {"a": {}}}}
SCHEMA = {"name": "sum", "schema": {"type": "object"}, "strict": True}
NESTED = {"type": "function", "function": ADD}


def chat(**given: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "m", "messages": ASKED, **given})


def response(**given: Any) -> ResponseRequest:
    return ResponseRequest.model_validate({"model": "m", "input": "?", **given})


def refused(make: Any, **given: Any) -> ApiError:
    try:
        context = make(**given).context
    except ValidationError as error:
        return invalid(error)
    except ApiError as error:
        return error
    raise AssertionError(f"{given} is taken: {context}")


@pytest.mark.parametrize(
    ("request_type", "documented"),
    [(ChatRequest, CompletionCreateParamsBase), (ResponseRequest, ResponseCreateParamsBase)],
)
def test_every_documented_parameter_is_known(request_type: type[AnyRequest], documented: Any) -> None:
    assert not set(documented.__annotations__) - set(request_type.model_fields)


def test_sampling_limits_and_form_go_to_the_model() -> None:
    given: dict[str, Any] = {
        "temperature": 0,
        "top_p": 0.5,
        "seed": 7,
        "n": 2,
        "logprobs": True,
        "top_logprobs": 3,
        "presence_penalty": -1,
        "frequency_penalty": 1,
        "logit_bias": {"50256": -100},
        "reasoning_effort": "low",
        "response_format": {"type": "json_schema", "json_schema": SCHEMA},
        "top_k": 40,
        "min_p": 0.1,
        "repetition_penalty": 1.1,
        "chat_template_kwargs": {"enable_thinking": False},
    }
    asked = chat(**given, stop="END", max_completion_tokens=9).context.generation
    assert asked.given == given | {"stop": ["END"], "max_tokens": 9}


def test_the_names_of_responses_are_those_of_chat_completions() -> None:
    asked = response(
        max_output_tokens=9,
        reasoning={"effort": "high", "summary": "auto"},
        text={"format": {"type": "json_schema", **SCHEMA}, "verbosity": "medium"},
        tools=[{"type": "function", **ADD, "strict": None}],
        tool_choice={"type": "function", "name": "add"},
        parallel_tool_calls=False,
        include=["message.output_text.logprobs", "reasoning.encrypted_content"],
    ).context.generation
    assert asked.given == {
        "max_tokens": 9,
        "reasoning_effort": "high",
        "response_format": {"type": "json_schema", "json_schema": SCHEMA},
        "tools": [NESTED],
        "tool_choice": {"type": "function", "function": {"name": "add"}},
        "parallel_tool_calls": False,
        "logprobs": True,
    }


@pytest.mark.parametrize("make", [chat, response])
def test_null_asks_for_nothing(make: Any) -> None:
    fields = make().__class__.model_fields
    nothing = {name: None for name in fields if name not in ("model", "messages", "input")}
    assert make(**nothing).context == make().context


@pytest.mark.parametrize(
    "given",
    [
        {"store": False, "service_tier": "auto", "modalities": ["text"], "verbosity": "medium"},
        {"tool_choice": "none", "parallel_tool_calls": True, "tools": []},
        {"functions": None, "audio": None, "stream_options": {"include_usage": True}},
        {"response_format": {"type": "text"}, "n": 1, "logprobs": False, "stop": []},
    ],
)
def test_what_happens_anyway_is_taken(given: dict[str, Any]) -> None:
    assert not chat(**given).context.generation.given.keys() - {"response_format"}


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        ({"temperature": 99}, "temperature", "invalid"),
        ({"max_tokens": 0}, "max_tokens", "invalid"),
        ({"top_logprobs": 2}, "top_logprobs", "invalid"),
        ({"stop": ["\ud800"]}, "stop", "invalid"),
        ({"tools": [{"type": "function", "function": {"name": "\ud800"}}]}, "tools", "invalid"),
        ({"chat_template_kwargs": {"a": "\ud800"}}, "chat_template_kwargs", "invalid"),
        ({"octopus": {"generation": {"stop": ["\ud800"]}}}, "octopus.generation.stop", "invalid"),
        ({"user": "\ud800"}, "user", "invalid"),
        ({"n": 2, "tools": [NESTED]}, "n", "invalid"),
        ({"temprature": 1}, "temprature", "unknown_parameter"),
        ({"stream_options": {"usage": True}}, "stream_options.usage", "unknown_parameter"),
        ({"octopus": {"hops": 1}}, "octopus.hops", "unknown_parameter"),
        ({"store": True}, "store", "unsupported_parameter"),
        ({"service_tier": "flex"}, "service_tier", "unsupported_parameter"),
        ({"modalities": ["text", "audio"]}, "modalities", "unsupported_parameter"),
        ({"web_search_options": {}}, "web_search_options", "unsupported_parameter"),
        ({"functions": [ADD]}, "functions", "unsupported_parameter"),
        ({"function_call": "auto"}, "function_call", "unsupported_parameter"),
        ({"tools": [{"type": "custom", "custom": {}}]}, "tools.0.type", "unsupported_parameter"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools.0.function.name", "invalid"),
        ({"tools": [NESTED, NESTED]}, "tools", "invalid"),
        ({"tool_choice": "required"}, "tool_choice", "invalid"),
        ({"tool_choice": "any", "tools": [NESTED]}, "tool_choice", "invalid"),
        ({"tool_choice": {"type": "function", "function": 3}, "tools": [NESTED]}, "tool_choice", "invalid"),
        (
            {"tool_choice": {"type": "function", "function": {"name": "sub"}}, "tools": [NESTED]},
            "tool_choice",
            "invalid",
        ),
        ({"response_format": {"type": "xml"}}, "response_format.type", "unsupported_parameter"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "invalid"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_completion_tokens", "invalid"),
        (
            {"seed": 1, "octopus": {"generation": {"seed": 2}}},
            "octopus.generation.seed",
            "invalid",
        ),
        ({"metadata": {"k" * 65: "v"}}, f"metadata.{'k' * 65}.[key]", "invalid"),
    ],
)
def test_what_a_chat_completion_cannot_do_is_refused_by_name(
    given: dict[str, Any], param: str, code: str
) -> None:
    error = refused(chat, **given)
    assert (error.status, error.param, error.code) == (400, param, code)


@pytest.mark.parametrize(
    ("given", "param", "code"),
    [
        ({"max_output_tokens": 0}, "max_output_tokens", "invalid"),
        ({"background": True}, "background", "unsupported_parameter"),
        ({"truncation": "disabled"}, "truncation", "unsupported_parameter"),
        ({"conversation": "conv_1"}, "conversation", "unsupported_parameter"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type", "unsupported_parameter"),
        ({"text": {"verbosity": "high"}}, "text.verbosity", "unsupported_parameter"),
        ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format.schema", "invalid"),
        ({"include": ["everything"]}, "include.0", "unsupported_parameter"),
        ({"n": 2}, "n", "unsupported_parameter"),
        ({"tool_choice": {"type": "web_search"}, "tools": []}, "tool_choice", "invalid"),
        ({"input": [{"type": "computer_call", "id": "cu_1"}]}, "input.0.type", "unsupported_parameter"),
        ({"input": []}, "input", "invalid"),
    ],
)
def test_what_a_response_cannot_do_is_refused_by_name(given: dict[str, Any], param: str, code: str) -> None:
    error = refused(response, **given)
    assert (error.status, error.param, error.code) == (400, param, code)


def test_allowed_tools_leave_only_those() -> None:
    other = {"type": "function", "function": {"name": "sub"}}
    named = {"type": "function", "function": {"name": "sub"}}
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named]}}
    asked = chat(tools=[NESTED, other], tool_choice=choice).context.generation
    assert (asked.tools, asked.tool_choice) == ((other,), "required")
    flat = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "add"}]}
    tools = [{"type": "function", **ADD}, {"type": "function", "name": "sub"}]
    asked = response(tools=tools, tool_choice=flat).context.generation
    assert (asked.tools, asked.tool_choice) == ((NESTED,), "auto")


def test_instructions_are_mended_as_earlier_messages_are() -> None:
    assert response(instructions="half \ud83d").given["instructions"] == "half \ufffd"


def test_a_response_bounds_the_tools_that_models_call() -> None:
    assert response(max_tool_calls=2).context.max_tool_calls == 2
    assert response().context.max_tool_calls == 8


def test_the_context_has_both_options_and_parameters() -> None:
    context = chat(seed=1, octopus={"max_hops": 3, "generation": {"seed": 1, "top_k": 2}}).context
    assert (context.max_hops, context.generation.given) == (3, {"seed": 1, "top_k": 2})
