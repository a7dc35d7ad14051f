"""Serve `/v1/chat/completions` as OpenAI writes it.

Extensions, here and in `/v1/responses`, all optional: the header `X-Octopus-Thread` keeps the conversation on
the server; the request's field `octopus` holds budgets, policy and reflection (see `GraphContext`), `approve`
and `ask_user`; the answer's field `octopus` holds `thread`, `path`, `hops`, what they cost, and `asked`: what
a person is to answer. The thread's next message is that answer (`y`, `n`, a node, more words), and so is
`resume` in the field `octopus`.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from langchain_core.messages import ToolCall
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.completion_usage import CompletionUsage
from pydantic import BaseModel, Field

from app.runs.events import Answered, Decided, Event, Hopped, Thought, Written
from app.runs.run import Run
from app.server.client_prompts import answer_client, is_of_client
from app.server.dependencies import Chatter, Served, TaskHeader, ThreadHeader
from app.server.messages import Conversation, Messages, read_messages
from app.server.parameters import AnyRequest, ChatForm, ChatTool, Strict, Unsupported, only
from app.server.sse import (
    begun,
    check_answered,
    collect,
    reasoning,
    server_sent,
    shown,
    summary,
    while_connected,
)
from app.server.telemetry import used_by

router = APIRouter(prefix="/v1", tags=["OpenAI"])


class StreamOptions(Strict):
    """Say whether the last chunk of a stream counts tokens."""

    include_usage: bool | None = None
    include_obfuscation: Annotated[bool | None, only(False)] = None


class ChatRequest(AnyRequest):
    """Describe a request: what is asked, how, and in which form."""

    messages: Messages
    max_completion_tokens: int | None = Field(default=None, ge=1, le=10_000_000)
    tools: tuple[ChatTool, ...] | None = Field(default=None, max_length=128)  # type: ignore[assignment]
    response_format: ChatForm | None = None  # type: ignore[assignment]
    stream_options: StreamOptions | None = None
    modalities: Annotated[Any, only(["text"])] = None
    store: Annotated[bool | None, only(False)] = None
    verbosity: Annotated[Any, only("medium")] = None
    audio: Unsupported = None
    function_call: Unsupported = None
    functions: Unsupported = None
    prediction: Unsupported = None
    web_search_options: Unsupported = None

    def _asked(self) -> Iterator[tuple[str, str, Any]]:
        yield from super()._asked()
        if self.max_completion_tokens is not None:
            yield "max_completion_tokens", "max_tokens", self.max_completion_tokens


@router.post("/chat/completions")
async def chat_completions(
    body: ChatRequest,
    request: Request,
    served: Served,
    caller: Chatter,
    thread: ThreadHeader = None,
    task: TaskHeader = None,
) -> Response:
    """Answer a conversation."""
    model, context = served.graphs.get(body.model), body.context
    most = served.settings.message_characters
    asked = read_messages(body.messages, most, model.reads, goes_on=thread is not None)
    if is_of_client(asked.messages, task, tools=context.generation.offers_tools):
        run = model.run(asked.messages, caller, context=context)
        events = answer_client(served, model, run)
    else:
        run = model.run(
            asked.messages,
            caller,
            thread,
            context=context,
            resume=body.octopus.resume,
            wait=body.octopus.wait,
            pieces=bool(body.stream),
        )
        events = served.runner.events(run)
    answering = _Answering(body, run, asked)
    if body.stream:
        return server_sent(answering.chunks(await begun(events)), named=False)
    return JSONResponse(answering.whole(*await while_connected(request, collect(events))))


class _Answering:
    """Write the answer to one request."""

    def __init__(self, body: ChatRequest, run: Run, asked: Conversation) -> None:
        self._run = run
        self._left_out = asked.left_out
        self._usage = bool(body.stream_options and body.stream_options.include_usage)
        self._head: dict[str, Any] = {
            **{"id": f"chatcmpl-{run.id}", "created": int(time.time()), "model": run.model},
            **body.kept,
        }

    def whole(self, answered: Answered, route: str) -> dict[str, Any]:
        """Return the answer of a run that is over.

        Raises:
            ApiError: nobody answered.
        """
        check_answered(answered, self._run.thread)
        calls = [_called(call) for call in answered.calls]
        message = {
            "role": "assistant",
            "content": answered.text or None if calls else answered.text,
            "reasoning_content": _joined(route, answered.reasoning),
            **({"tool_calls": calls} if calls else {}),
        }
        finish, logprobs = answered.finish_reason, answered.logprobs
        choices = [{"index": 0, "message": message, "finish_reason": finish, "logprobs": logprobs}]
        for index, (text, end) in enumerate(answered.others, 1):
            other = {"role": "assistant", "content": text}
            choices.append({"index": index, "message": other, "finish_reason": end, "logprobs": None})
        told = {"object": "chat.completion", "choices": choices, "usage": _usage(answered)}
        extension = {"octopus": summary(answered, self._run.thread, self._left_out)}
        whole = ChatCompletion.model_validate(self._head | told | extension)
        return whole.model_dump(mode="json", exclude_unset=True)

    async def chunks(self, events: AsyncIterator[Event]) -> AsyncIterator[BaseModel]:
        """Yield the answer in pieces: decisions and thoughts as `reasoning_content`, text as `content`.

        The extension `octopus` holds the `decision` or `hop` of a chunk, and in the last one the summary.

        Raises:
            ApiError: nobody answered.
        """
        answered, thought = Answered(), False
        yield self._chunk({"role": "assistant", "content": ""})
        async for event in events:
            match event:
                case Decided(decision):
                    told = {**decision, "rewritten": decision["query"], "fan": []}  # as clients know it
                    yield self._chunk({"reasoning_content": reasoning(decision)}, octopus={"decision": told})
                case Hopped(hop):
                    yield self._chunk({}, octopus={"hop": shown(hop)})
                case Thought(text):
                    yield self._chunk({"reasoning_content": text if thought else f"\n{text}"})
                    thought = True
                case Written(text, logprobs):
                    yield self._chunk({"content": text}, logprobs=logprobs)
                case Answered():
                    answered = event
        for chunk in self._end(answered, thought):
            yield chunk

    def _end(self, answered: Answered, thought: bool) -> Iterator[BaseModel]:
        check_answered(answered, self._run.thread)
        if answered.reasoning and not thought:
            yield self._chunk({"reasoning_content": f"\n{answered.reasoning}"})
        if answered.rest:
            yield self._chunk({"content": answered.rest})
        for index, call in enumerate(map(_called, answered.calls)):
            begun = call | {"index": index, "function": call["function"] | {"arguments": ""}}
            yield self._chunk({"tool_calls": [begun]})
            arguments = {"index": index, "function": {"arguments": call["function"]["arguments"]}}
            yield self._chunk({"tool_calls": [arguments]})
        others = answered.others
        for index, (text, _) in enumerate(others, 1):
            yield self._chunk({"role": "assistant", "content": text}, index=index)
        extension = summary(answered, self._run.thread, self._left_out)
        yield self._chunk({}, finish=answered.finish_reason, octopus=extension)
        for index, (_, end) in enumerate(others, 1):
            yield self._chunk({}, finish=end, index=index)
        if self._usage:
            told = {"object": "chat.completion.chunk", "choices": [], "usage": _usage(answered)}
            yield ChatCompletionChunk.model_validate(self._head | told)

    def _chunk(
        self,
        delta: dict[str, Any],
        *,
        finish: str | None = None,
        index: int = 0,
        logprobs: Any = None,
        **extension: Any,
    ) -> ChatCompletionChunk:
        choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": logprobs}
        told = {"object": "chat.completion.chunk", "choices": [choice]}
        return ChatCompletionChunk.model_validate(self._head | told | extension)


def _joined(route: str, thoughts: str) -> str:
    return f"{route}\n{thoughts}" if thoughts else route


def _called(call: ToolCall) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": json.dumps(call["args"], ensure_ascii=False)}
    return {"id": call["id"], "type": "function", "function": function}


def _usage(answered: Answered) -> CompletionUsage:
    used = used_by(answered)
    return CompletionUsage.model_validate(
        {
            "prompt_tokens": used["prompt"],
            "completion_tokens": used["completion"],
            "total_tokens": used["prompt"] + used["completion"],
            "prompt_tokens_details": {"cached_tokens": used["cached"]},
            "completion_tokens_details": {"reasoning_tokens": used["reasoning"]},
        }
    )
