"""The usual examples of litellm."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the network while it is imported

import litellm
import openai
from pydantic import BaseModel

from tests.app.server.clients.loop import (
    API_KEY,
    BASE_URL,
    BREAD,
    MORE,
    SHOPPING,
    SYSTEM,
    TOOLS,
    called,
    serve,
)

ASKED: list[Any] = [{"role": "user", "content": BREAD}]


class Recipe(BaseModel):
    name: str
    minutes: int


def complete(messages: Any = ASKED, **more: Any) -> Any:
    given = {"model": "openai/house", "api_base": BASE_URL, "api_key": API_KEY, "max_retries": 0}
    return litellm.completion(messages=messages, **(given | more))


def said(done: Any) -> Any:
    return done.choices[0].message.content


def turns() -> Any:
    return said(complete([*ASKED, complete().choices[0].message, {"role": "user", "content": MORE}]))


def stream() -> Any:
    chunks = list(complete(stream=True, stream_options={"include_usage": True}))
    texts = [text for chunk in chunks for choice in chunk.choices if (text := choice.delta.content)]
    used: Any = litellm.stream_chunk_builder(chunks, messages=ASKED)
    return {"pieces": len(texts), "text": "".join(texts), "tokens": used.usage.total_tokens}


def parameters() -> Any:
    done = complete(temperature=0.5, top_p=0.9, max_tokens=2, seed=7, stop=["END"], presence_penalty=0.5)
    return {"text": said(done), "finish": done.choices[0].finish_reason}


def looped(ask: Callable[[Any], Any]) -> Any:
    messages: list[Any] = [{"role": "user", "content": SHOPPING}]
    made: list[Any] = []
    while True:
        message = ask(messages).choices[0].message
        if not message.tool_calls:
            return {"text": message.content, "calls": made}
        messages.append(message)
        for call in message.tool_calls:
            name, arguments = call.function.name, call.function.arguments
            made.append([name, json.loads(arguments)])
            given = called(name, arguments)
            messages.append({"tool_call_id": call.id, "role": "tool", "name": name, "content": given})


def streamed(messages: Any) -> Any:
    chunks = list(complete(messages, tools=TOOLS, stream=True))
    return litellm.stream_chunk_builder(chunks, messages=messages)


def forced() -> Any:
    choice = {"type": "function", "function": {"name": "price"}}
    done = complete(tools=TOOLS, tool_choice=choice).choices[0]
    call = done.message.tool_calls[0].function
    return {"finish": done.finish_reason, "calls": [[call.name, json.loads(call.arguments)]]}


def thinking() -> Any:
    message = complete().choices[0].message
    return {"text": message.content, "thinking": message.reasoning_content}


def logprobs() -> Any:
    content = complete(logprobs=True, top_logprobs=2).choices[0].logprobs.content
    return [[one.token, len(one.top_logprobs)] for one in content]


def responses() -> Any:
    done: Any = litellm.responses(model="openai/house", input=BREAD, api_base=BASE_URL, api_key=API_KEY)
    return "".join(part.text for item in done.output if item.type == "message" for part in item.content)


def failing(ask: Callable[[], Any]) -> Callable[[], Any]:
    def example() -> Any:
        try:
            ask()
        except litellm.exceptions.Timeout:
            return "timeout"
        except openai.APIStatusError as error:  # without the code
            return {"status": error.status_code}
        return "nothing was refused"

    return example


if __name__ == "__main__":
    litellm.telemetry = False
    serve(
        {
            "plain": lambda: said(complete()),
            "system": lambda: said(complete([{"role": "system", "content": SYSTEM}, *ASKED])),
            "turns": turns,
            "stream": stream,
            "parameters": parameters,
            "json": lambda: json.loads(said(complete(response_format={"type": "json_object"}))),
            "schema": lambda: json.loads(said(complete(response_format=Recipe))),
            "tools": lambda: looped(lambda messages: complete(messages, tools=TOOLS)),
            "tools_stream": lambda: looped(streamed),
            "forced": forced,
            "thinking": thinking,
            "choices": lambda: [choice.message.content for choice in complete(n=2).choices],
            "logprobs": logprobs,
            "responses": responses,
            "unauthorized": failing(lambda: complete(api_key="wrong")),
            "unknown_model": failing(lambda: complete(model="openai/none")),
            "out_of_range": failing(lambda: complete(temperature=99)),
            "retried": lambda: said(complete(num_retries=2)),
            "overloaded": failing(complete),
            "filtered": failing(complete),
            "given_up": failing(lambda: complete(timeout=1.5)),
        }
    )
