"""`/v1/chat/completions` as OpenAI writes it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.completion_usage import CompletionUsage
from pydantic import BaseModel, Field

from agents.types import Hop
from app.runs.events import Answered, Decided, Event, Hopped, Written
from app.runs.run import Run
from app.server.messages import Messages
from app.server.options import Options
from app.server.sse import reasoning, summary
from app.server.telemetry import tokens_of


class StreamOptions(BaseModel):
    """Of a stream: whether its last chunk counts tokens."""

    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """What is read of a request; other parameters (temperature, tools, …) are ignored.

    Attributes:
        octopus: budgets, policy, reflection, answers to questions; an extension.
    """

    model: str
    messages: Messages
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    octopus: Options = Field(default_factory=Options)


def usage_of(hops: list[Hop]) -> CompletionUsage:
    """Tokens of the language models that answered."""
    used = tokens_of(hops)
    return CompletionUsage(
        prompt_tokens=used["prompt"],
        completion_tokens=used["completion"],
        total_tokens=used["prompt"] + used["completion"],
    )


def completion(run: Run, answered: Answered, thoughts: str) -> dict[str, Any]:
    """The whole answer as a ChatCompletion; `octopus` is an extension."""
    message = {"role": "assistant", "content": answered.text, "reasoning_content": thoughts}
    return ChatCompletion.model_validate(
        {
            **_head(run, "chat.completion"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": usage_of(answered.hops),
            "octopus": summary(answered, run.thread),
        }
    ).model_dump(mode="json", exclude_unset=True)


async def chunks(run: Run, events: AsyncIterator[Event], *, usage: bool) -> AsyncIterator[BaseModel]:
    """The answer in pieces: decisions as `reasoning_content`, text as `content`.

    The extension `octopus` holds the `decision` or `hop` of a chunk, and in the last one the summary.
    """
    head = _head(run, "chat.completion.chunk")
    answered = Answered()
    yield _chunk(head, {"role": "assistant", "content": ""})
    async for event in events:
        match event:
            case Decided(decision):
                yield _chunk(head, {"reasoning_content": reasoning(decision)}, octopus={"decision": decision})
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
        yield ChatCompletionChunk.model_validate({**head, "choices": [], "usage": usage_of(answered.hops)})


def _chunk(
    head: dict[str, Any], delta: dict[str, Any], finish: str | None = None, **extension: Any
) -> ChatCompletionChunk:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return ChatCompletionChunk.model_validate({**head, "choices": [choice], **extension})


def _head(run: Run, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{run.id}",
        "object": kind,
        "created": int(time.time()),
        "model": run.model,
    }
