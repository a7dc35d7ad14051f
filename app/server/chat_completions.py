"""Serve `/v1/chat/completions` as OpenAI writes it.

Extensions, here and in `/v1/responses`, all optional: the header `X-Octopus-Thread` keeps the conversation on
the server; the request's field `octopus` holds budgets, policy and reflection (see `GraphContext`), `approve`
and `ask_user`; the answer's field `octopus` holds `thread`, `path`, `hops`, what they cost, and `asked`: what
a person is to answer. The thread's next message is that answer (`y`, `n`, a node, more words), and so is
`resume` in the field `octopus`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.completion_usage import CompletionUsage
from pydantic import BaseModel, Field

from app.runs.events import Answered, Decided, Event, Hopped, Written
from app.runs.run import Run
from app.server.client_prompts import answer_client, is_of_client
from app.server.dependencies import Chatter, Served, TaskHeader, ThreadHeader
from app.server.messages import Messages, RunOptions, read_messages
from app.server.sse import begun, collect, reasoning, server_sent, summary, while_connected
from app.server.telemetry import used_by

router = APIRouter(prefix="/v1", tags=["OpenAI"])


class StreamOptions(BaseModel):
    """Say whether the last chunk of a stream counts tokens."""

    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """Describe what is read of a request; other parameters (temperature, tools, …) are ignored.

    Attributes:
        octopus: budgets, policy, reflection, answers to questions; an extension.
    """

    model: str
    messages: Messages
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    octopus: RunOptions = Field(default_factory=RunOptions)


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
    model = served.graphs.get(body.model)
    messages = read_messages(body.messages, served.settings.message_characters, model.reads)
    if is_of_client(messages, task):
        run = model.run(messages, caller)
        events = answer_client(served, model, messages)
    else:
        run = model.run(
            messages,
            caller,
            thread,
            context=body.octopus.context,
            resume=body.octopus.resume,
            pieces=bool(body.stream),
        )
        events = served.runner.events(run)
    if body.stream:
        usage = bool(body.stream_options and body.stream_options.include_usage)
        return server_sent(_chunks(run, await begun(events), usage=usage), named=False)
    return JSONResponse(_completion(run, *await while_connected(request, collect(events))))


def _completion(run: Run, answered: Answered, thoughts: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": answered.text, "reasoning_content": thoughts}
    return ChatCompletion.model_validate(
        {
            **_head(run, "chat.completion"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": _usage(answered),
            "octopus": summary(answered, run.thread),
        }
    ).model_dump(mode="json", exclude_unset=True)


async def _chunks(run: Run, events: AsyncIterator[Event], *, usage: bool) -> AsyncIterator[BaseModel]:
    """Yield the answer in pieces: decisions as `reasoning_content`, text as `content`.

    The extension `octopus` holds the `decision` or `hop` of a chunk, and in the last one the summary.
    """
    head = _head(run, "chat.completion.chunk")
    answered = Answered()
    yield _chunk(head, {"role": "assistant", "content": ""})
    async for event in events:
        match event:
            case Decided(decision):
                told = {**decision, "rewritten": decision["query"], "fan": []}  # as clients know it
                yield _chunk(head, {"reasoning_content": reasoning(decision)}, octopus={"decision": told})
            case Hopped(hop):
                yield _chunk(head, {}, octopus={"hop": hop})
            case Written(text):
                yield _chunk(head, {"content": text})
            case Answered():
                answered = event
                if event.rest:
                    yield _chunk(head, {"content": event.rest})
    yield _chunk(head, {}, "stop", octopus=summary(answered, run.thread))
    if usage:
        yield ChatCompletionChunk.model_validate({**head, "choices": [], "usage": _usage(answered)})


def _chunk(
    head: dict[str, Any], delta: dict[str, Any], finish: str | None = None, **extension: Any
) -> ChatCompletionChunk:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return ChatCompletionChunk.model_validate({**head, "choices": [choice], **extension})


def _head(run: Run, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{run.id}", "object": kind, "created": int(time.time()), "model": run.model}


def _usage(answered: Answered) -> CompletionUsage:
    used = used_by(answered)
    return CompletionUsage(
        prompt_tokens=used["prompt"],
        completion_tokens=used["completion"],
        total_tokens=used["prompt"] + used["completion"],
    )
