"""The usual examples of LangChain's `ChatOpenAI`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from tests.app.server.clients.loop import (
    API_KEY,
    BASE_URL,
    BREAD,
    MODEL,
    MORE,
    SHOPPING,
    SYSTEM,
    called,
    price,
    refused,
    serve,
    weather,
)


class Recipe(BaseModel):
    """A recipe."""

    name: str
    minutes: int


def chat(**more: Any) -> ChatOpenAI:
    given = {"model": MODEL, "base_url": BASE_URL, "api_key": API_KEY, "max_retries": 0, "timeout": 60}
    return ChatOpenAI(**(given | more))


def turns() -> Any:
    messages: list[Any] = [HumanMessage(BREAD)]
    messages += [chat().invoke(messages), HumanMessage(MORE)]
    return chat().invoke(messages).text


def stream() -> Any:
    chunks = list(chat(stream_usage=True).stream(BREAD))
    texts = [str(chunk.text) for chunk in chunks if chunk.text]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    tokens = whole.usage_metadata["total_tokens"] if whole.usage_metadata else 0
    return {"pieces": len(texts), "text": "".join(texts), "tokens": tokens}


def parameters() -> Any:
    model = chat(temperature=0.5, top_p=0.9, max_tokens=2, seed=7, stop=["END"], presence_penalty=0.5)
    done = model.invoke(BREAD)
    return {"text": done.text, "finish": done.response_metadata["finish_reason"]}


def json_mode() -> Any:
    return chat().with_structured_output(None, method="json_mode").invoke(BREAD)


def formed(method: Any) -> Any:
    found: Any = chat().with_structured_output(Recipe, method=method).invoke(BREAD)
    return found.model_dump()


def looped(ask: Callable[[Any, Any], Any]) -> Any:
    model = chat().bind_tools([price, weather])
    messages: list[Any] = [HumanMessage(SHOPPING)]
    made: list[Any] = []
    while True:
        done = ask(model, messages)
        if not done.tool_calls:
            return {"text": done.text, "calls": made}
        messages.append(done)
        for call in done.tool_calls:
            made.append([call["name"], call["args"]])
            given = called(call["name"], json.dumps(call["args"]))
            messages.append(ToolMessage(given, tool_call_id=call["id"]))


def streamed(model: Any, messages: Any) -> Any:
    first, *rest = model.stream(messages)
    for chunk in rest:
        first += chunk
    return first


def forced() -> Any:
    model = chat().bind_tools([price, weather], tool_choice="price", parallel_tool_calls=False)
    done = model.invoke(BREAD)
    calls = [[call["name"], call["args"]] for call in done.tool_calls]
    return {"finish": done.response_metadata["finish_reason"], "calls": calls}


def ran(values: Any) -> Any:
    """What an agent did."""
    messages = values["messages"]
    made = [
        [call["name"], call["args"]]
        for message in messages
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    ]
    return {"text": messages[-1].text, "calls": made}


def agent() -> Any:
    made = create_agent(chat(), tools=[price, weather], system_prompt=SYSTEM)
    return ran(made.invoke({"messages": [HumanMessage(SHOPPING)]}))


def agent_stream() -> Any:
    made = create_agent(chat(), tools=[price, weather], system_prompt=SYSTEM)
    values = list(made.stream({"messages": [HumanMessage(SHOPPING)]}, stream_mode="values"))
    return ran(values[-1])


def choices() -> Any:
    return [str(one.text) for one in chat(n=2).generate([[HumanMessage(BREAD)]]).generations[0]]


def logprobs() -> Any:
    done = chat(logprobs=True, top_logprobs=2).invoke(BREAD)
    content = done.response_metadata["logprobs"]["content"]
    return [[one["token"], len(one["top_logprobs"])] for one in content]


def responses_turns() -> Any:
    model = chat(use_responses_api=True, use_previous_response_id=True)
    first = model.invoke([HumanMessage(BREAD)], instructions=SYSTEM)
    asked = [HumanMessage(BREAD), first, HumanMessage(MORE)]
    return model.invoke(asked, instructions="Be brief.").text


def responses_tools() -> Any:
    made = create_agent(chat(use_responses_api=True), tools=[price, weather])
    return ran(made.invoke({"messages": [HumanMessage(SHOPPING)]}))


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


if __name__ == "__main__":
    serve(
        {
            "plain": lambda: chat().invoke(BREAD).text,
            "system": lambda: chat().invoke([("system", SYSTEM), ("human", BREAD)]).text,
            "turns": turns,
            "stream": stream,
            "parameters": parameters,
            "json": json_mode,
            "schema": lambda: formed("json_schema"),
            "schema_tool": lambda: formed("function_calling"),
            "tools": lambda: looped(lambda model, messages: model.invoke(messages)),
            "tools_stream": lambda: looped(streamed),
            "forced": forced,
            "agent": agent,
            "agent_stream": agent_stream,
            "choices": choices,
            "logprobs": logprobs,
            "responses": lambda: chat(use_responses_api=True).invoke(BREAD).text,
            "responses_turns": responses_turns,
            "responses_tools": responses_tools,
            "unauthorized": failing(lambda: chat(api_key="wrong").invoke(BREAD)),
            "unknown_model": failing(lambda: chat(model="none").invoke(BREAD)),
            "out_of_range": failing(lambda: chat(temperature=99).invoke(BREAD)),
            "retried": lambda: chat(max_retries=2).invoke(BREAD).text,
            "overloaded": failing(lambda: chat().invoke(BREAD)),
            "filtered": failing(lambda: chat().invoke(BREAD)),
            "given_up": failing(lambda: chat(timeout=1.5).invoke(BREAD)),
        }
    )
