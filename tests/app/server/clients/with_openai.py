"""The usual examples of the official openai client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
from openai import OpenAI
from pydantic import BaseModel

from tests.app.server.clients.loop import (
    API_KEY,
    BASE_URL,
    BREAD,
    MODEL,
    MORE,
    SHOPPING,
    SYSTEM,
    TOOLS,
    called,
    refused,
    serve,
)

client = OpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0, timeout=60)
ASKED: list[Any] = [{"role": "user", "content": BREAD}]
FLAT: list[Any] = [{"type": "function", **tool["function"], "strict": True} for tool in TOOLS]


class Recipe(BaseModel):
    name: str
    minutes: int


def create(messages: Any = ASKED, **more: Any) -> Any:
    return client.chat.completions.create(model=MODEL, messages=messages, **more)


def said(done: Any) -> Any:
    return done.choices[0].message.content


def system() -> Any:
    return said(create([{"role": "developer", "content": SYSTEM}, *ASKED]))


def turns() -> Any:
    first = create().choices[0].message
    return said(create([*ASKED, first, {"role": "user", "content": MORE}]))


def stream() -> Any:
    chunks = list(create(stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    texts = [piece for piece in pieces if piece]
    return {"pieces": len(texts), "text": "".join(texts), "tokens": chunks[-1].usage.total_tokens}


def parameters() -> Any:
    done = create(
        temperature=0.5, top_p=0.9, max_completion_tokens=2, seed=7, stop=["END"], presence_penalty=0.5
    )
    return {"text": said(done), "finish": done.choices[0].finish_reason}


def json_mode() -> Any:
    return json.loads(said(create(response_format={"type": "json_object"})))


def schema() -> Any:
    done = client.chat.completions.parse(model=MODEL, messages=ASKED, response_format=Recipe)
    parsed = done.choices[0].message.parsed
    return parsed.model_dump() if parsed else None


def schema_stream() -> Any:
    with client.chat.completions.stream(model=MODEL, messages=ASKED, response_format=Recipe) as events:
        parsed: Any = events.get_final_completion().choices[0].message.parsed
    return parsed.model_dump()


def looped(ask: Callable[[Any], Any]) -> Any:
    """Call what the model calls until it answers."""
    messages: list[Any] = [{"role": "user", "content": SHOPPING}]
    made: list[Any] = []
    while True:
        choice = ask(messages).choices[0]
        if choice.finish_reason != "tool_calls":
            return {"text": choice.message.content, "calls": made}
        messages.append(choice.message)
        for call in choice.message.tool_calls:
            made.append([call.function.name, json.loads(call.function.arguments)])
            given = called(call.function.name, call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": given})


def streamed(messages: Any) -> Any:
    offered: Any = TOOLS
    with client.chat.completions.stream(model=MODEL, messages=messages, tools=offered) as events:
        return events.get_final_completion()


def forced() -> Any:
    choice: Any = {"type": "function", "function": {"name": "price"}}
    done = create(tools=TOOLS, tool_choice=choice, parallel_tool_calls=False).choices[0]
    call = done.message.tool_calls[0].function
    return {"finish": done.finish_reason, "calls": [[call.name, json.loads(call.arguments)]]}


def thinking() -> Any:
    done = create().choices[0].message
    return {"text": done.content, "thinking": done.model_extra["reasoning_content"]}


def choices() -> Any:
    return [choice.message.content for choice in create(n=2).choices]


def logprobs() -> Any:
    done = create(logprobs=True, top_logprobs=2).choices[0]
    return [[one.token, len(one.top_logprobs)] for one in done.logprobs.content]


def failing(ask: Callable[[], Any]) -> Callable[[], Any]:
    def example() -> Any:
        try:
            ask()
        except openai.APIStatusError as error:
            return refused(error)
        except openai.APITimeoutError:
            return "timeout"
        return "nothing was refused"

    return example


def retried() -> Any:
    return said(client.with_options(max_retries=2).chat.completions.create(model=MODEL, messages=ASKED))


def broken_stream() -> Any:
    try:
        list(create(stream=True))
    except openai.APIError as error:
        return refused(error)
    return "nothing was refused"


def respond(**more: Any) -> Any:
    return client.responses.create(**{"model": MODEL, "input": BREAD, **more})


def responses_turns() -> Any:
    first = respond(instructions=SYSTEM)
    second = respond(input=MORE, previous_response_id=first.id, instructions="Be brief.")
    return second.output_text


def responses_stream() -> Any:
    with client.responses.stream(model=MODEL, input=BREAD) as events:
        pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
        done = events.get_final_response()
    tokens = done.usage.total_tokens if done.usage else 0
    return {"pieces": len(pieces), "text": done.output_text, "tokens": tokens}


def responses_schema() -> Any:
    parsed = client.responses.parse(model=MODEL, input=BREAD, text_format=Recipe).output_parsed
    return parsed.model_dump() if parsed else None


def responses_tools() -> Any:
    made = []
    done = respond(input=SHOPPING, tools=FLAT)
    while calls := [item for item in done.output if item.type == "function_call"]:
        made += [[call.name, json.loads(call.arguments)] for call in calls]
        given: list[Any] = [
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": called(call.name, call.arguments),
            }
            for call in calls
        ]
        done = respond(input=given, tools=FLAT, previous_response_id=done.id)
    return {"text": done.output_text, "calls": made}


def responses_tools_kept() -> Any:
    """The client keeps the items itself."""
    made: list[Any] = []
    items: list[Any] = [{"role": "user", "content": SHOPPING}]
    while True:
        done = respond(input=items, tools=FLAT, store=False)
        items += [item.model_dump(exclude_none=True) for item in done.output]
        calls = [item for item in done.output if item.type == "function_call"]
        if not calls:
            return {"text": done.output_text, "calls": made}
        for call in calls:
            made.append([call.name, json.loads(call.arguments)])
            output = called(call.name, call.arguments)
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": output})


if __name__ == "__main__":
    wrong = OpenAI(base_url=BASE_URL, api_key="wrong", max_retries=0)
    serve(
        {
            "plain": lambda: said(create()),
            "system": system,
            "turns": turns,
            "stream": stream,
            "parameters": parameters,
            "json": json_mode,
            "schema": schema,
            "schema_stream": schema_stream,
            "tools": lambda: looped(lambda messages: create(messages, tools=TOOLS)),
            "tools_stream": lambda: looped(streamed),
            "forced": forced,
            "thinking": thinking,
            "choices": choices,
            "logprobs": logprobs,
            "responses": lambda: respond().output_text,
            "responses_turns": responses_turns,
            "responses_stream": responses_stream,
            "responses_schema": responses_schema,
            "responses_tools": responses_tools,
            "responses_tools_kept": responses_tools_kept,
            "unauthorized": failing(lambda: wrong.chat.completions.create(model=MODEL, messages=ASKED)),
            "unknown_model": failing(lambda: client.chat.completions.create(model="none", messages=ASKED)),
            "out_of_range": failing(lambda: create(temperature=99)),
            "not_offered": failing(lambda: create(modalities=["text", "audio"])),
            "no_such_route": failing(lambda: client.embeddings.create(model=MODEL, input="bread")),
            "retried": retried,
            "overloaded": failing(create),
            "filtered": failing(create),
            "broken_stream": broken_stream,
            "given_up": failing(lambda: create(timeout=1.5)),
        }
    )
