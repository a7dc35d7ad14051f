"""Serve `/v1/responses` as OpenAI writes it: answers that a later question can follow."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from itertools import count
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from langgraph.checkpoint.base import BaseCheckpointSaver
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, Field, TypeAdapter
from sse_starlette import EventSourceResponse

from app.persistence.checkpoints import config_of
from app.runs.events import Answered, Decided, Ended, Event, Hopped, Thought, Written
from app.runs.run import Run
from app.server.api_keys import Caller
from app.server.client_prompts import answer_client, is_of_client
from app.server.dependencies import Chatter, Served, TaskHeader, ThreadHeader
from app.server.errors import ApiError
from app.server.messages import Items, RunOptions, read_items
from app.server.sse import begun, collect, reasoning, server_sent, summary, while_connected
from app.server.telemetry import used_by

router = APIRouter(prefix="/v1", tags=["OpenAI"])
_EVENT: TypeAdapter[BaseModel] = TypeAdapter(ResponseStreamEvent)


class ResponseRequest(BaseModel):
    """Describe what is read of a request; other parameters are ignored.

    Attributes:
        previous_response_id: the response to continue from; several may continue from one.
        store: whether a later request may continue from this response.
        octopus: budgets, policy, reflection, answers to questions; an extension.
    """

    model: str
    input: str | Items
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    stream: bool | None = None
    octopus: RunOptions = Field(default_factory=RunOptions)


@router.post("/responses")
async def create_response(
    body: ResponseRequest,
    request: Request,
    served: Served,
    caller: Chatter,
    thread: ThreadHeader = None,
    task: TaskHeader = None,
) -> Any:
    """Answer, in a form from which `previous_response_id` continues."""
    model = served.graphs.get(body.model)
    messages = read_items(body.input, body.instructions, served.settings.message_characters, model.reads)
    if is_of_client(messages, task):
        return await _answered(
            body, request, model.run(messages, caller), answer_client(served, model, messages)
        )
    checkpoint = None
    if body.previous_response_id:
        thread, checkpoint = await _previous(served.saver, caller, body.previous_response_id)
    elif thread is None and body.store is not False:
        thread = uuid.uuid4().hex
    run = model.run(
        messages,
        caller,
        thread,
        context=body.octopus.context,
        resume=body.octopus.resume,
        pieces=bool(body.stream),
        checkpoint=checkpoint,
    )
    return await _answered(body, request, run, served.runner.events(run))


async def _answered(
    body: ResponseRequest, request: Request, run: Run, events: AsyncGenerator[Event]
) -> EventSourceResponse | JSONResponse:
    answer = _Answer(run, body.previous_response_id)
    if body.stream:
        return server_sent(answer.events(await begun(events)), named=True)
    return JSONResponse(answer.whole(*await while_connected(request, collect(events))))


async def _previous(
    saver: BaseCheckpointSaver[Any], caller: Caller, response_id: str
) -> tuple[str, str | None]:
    """Return the thread and the last checkpoint of a response of this caller; None is the thread's end."""
    thread, _, run = response_id.removeprefix("resp_").rpartition(".")
    if thread and run.isalnum():
        config = config_of(caller.stored(thread))
        found = [step async for step in saver.alist(config, filter={"run": run}, limit=1)]
        newest = await saver.aget_tuple(config)
        if found and newest:
            step = str(found[0].config["configurable"]["checkpoint_id"])
            # At its end a thread continues as it is, with what it waits for; before it, from there.
            return thread, None if step == newest.checkpoint["id"] else step
    raise ApiError(404, "There is no such response.", code="not_found", param="previous_response_id")


class _Answer:
    """Build a response: its reasoning, then its message."""

    def __init__(self, run: Run, previous: str | None) -> None:
        self._thread = run.thread
        self._text = ""
        self._thoughts = ""
        self._answered = Answered()
        self._message = f"msg_{run.id}"
        self._reasoning = f"rs_{run.id}"
        self._head: dict[str, Any] = {
            "id": f"resp_{run.thread}.{run.id}" if run.thread else f"resp_{run.id}",
            "object": "response",
            "created_at": int(time.time()),
            "model": run.model,
            "previous_response_id": previous,
            "error": None,
            "incomplete_details": None,
            "parallel_tool_calls": False,
            "tool_choice": "none",
            "tools": [],
            "store": run.thread is not None,
        }

    def whole(self, answered: Answered, thoughts: str) -> dict[str, Any]:
        """Return the response of a run that is over."""
        self._text, self._thoughts, self._answered = answered.text, thoughts, answered
        return Response.model_validate(self._completed()).model_dump(mode="json", exclude_unset=True)

    async def events(self, events: AsyncIterator[Event]) -> AsyncIterator[BaseModel]:
        """Yield the response in pieces."""
        numbers = count()
        async for kind, fields in self._events(events):
            yield _EVENT.validate_python(
                {"type": f"response.{kind}", "sequence_number": next(numbers), **fields}
            )

    async def _events(self, events: AsyncIterator[Event]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        begun = self._head | {"status": "in_progress", "output": []}
        yield "created", {"response": begun}
        yield "in_progress", {"response": begun}
        thought = {"item_id": self._reasoning, "output_index": 0, "summary_index": 0}
        said = {"item_id": self._message, "output_index": 1, "content_index": 0}
        yield "output_item.added", {"output_index": 0, "item": self._reasoning_item("in_progress")}
        yield "reasoning_summary_part.added", {**thought, "part": self._summary_part}
        speaking = False
        async for event in events:
            if isinstance(event, Decided):
                text = reasoning(event.decision)
                self._thoughts += text
                yield "reasoning_summary_text.delta", {**thought, "delta": text}
                continue
            if isinstance(event, Hopped | Ended | Thought):
                continue
            if not speaking:
                speaking = True
                yield "reasoning_summary_text.done", {**thought, "text": self._thoughts}
                yield "reasoning_summary_part.done", {**thought, "part": self._summary_part}
                yield "output_item.done", {"output_index": 0, "item": self._reasoning_item("completed")}
                yield "output_item.added", {"output_index": 1, "item": self._message_item("in_progress")}
                yield "content_part.added", {**said, "part": self._text_part}
            text = event.text if isinstance(event, Written) else event.rest
            self._text += text
            if text:
                yield "output_text.delta", {**said, "delta": text, "logprobs": []}
            if isinstance(event, Answered):
                self._answered = event
        yield "output_text.done", {**said, "text": self._text, "logprobs": []}
        yield "content_part.done", {**said, "part": self._text_part}
        yield "output_item.done", {"output_index": 1, "item": self._message_item("completed")}
        yield "completed", {"response": self._completed()}

    def _completed(self) -> dict[str, Any]:
        used = used_by(self._answered)
        return self._head | {
            "status": "completed",
            "output": [self._reasoning_item("completed"), self._message_item("completed")],
            "usage": {
                "input_tokens": used["prompt"],
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": used["completion"],
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": used["prompt"] + used["completion"],
            },
            "octopus": summary(self._answered, self._thread),
        }

    def _reasoning_item(self, status: str) -> dict[str, Any]:
        parts = [self._summary_part] if status == "completed" else []
        return {"type": "reasoning", "id": self._reasoning, "status": status, "summary": parts}

    def _message_item(self, status: str) -> dict[str, Any]:
        parts = [self._text_part] if status == "completed" else []
        head = {"type": "message", "id": self._message, "role": "assistant"}
        return {**head, "status": status, "content": parts}

    @property
    def _summary_part(self) -> dict[str, Any]:
        return {"type": "summary_text", "text": self._thoughts}

    @property
    def _text_part(self) -> dict[str, Any]:
        return {"type": "output_text", "text": self._text, "annotations": [], "logprobs": []}
