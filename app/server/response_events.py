"""Write a response as OpenAI does: its items, whole or as events."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import count
from typing import Any

from langchain_core.messages import ToolCall
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from app.runs.events import Answered, Decided, Event, Thought, Written
from app.runs.run import Run
from app.server.errors import ApiError, as_api_error
from app.server.sse import check_answered, reasoning, summary
from app.server.telemetry import used_by

_EVENT: TypeAdapter[BaseModel] = TypeAdapter(ResponseStreamEvent)
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_ERRORS = {429: "rate_limit_exceeded", 400: "invalid_prompt", 422: "invalid_prompt"}

Told = Iterator[tuple[str, dict[str, Any]]]
"""Events: their kinds and fields."""


class Answer:
    """Write one response: reasoning (the route as summary, a model's thoughts as content), then the answer.

    Args:
        run: what is answered.
        given: what of the request is given back.
        left_out: what nobody reads of earlier turns.
    """

    def __init__(self, run: Run, given: Mapping[str, Any], left_out: list[dict[str, str]]) -> None:
        self._run = run
        self._left_out = left_out
        self._route, self._thoughts, self._text = "", "", ""
        self._answered = Answered()
        self._closed, self._speaking = False, False
        self._place = f"{run.thread}.{run.id}" if run.thread else run.id  # items can be referred to
        self._message, self._reasoning = f"msg_{self._place}", f"rs_{self._place}"
        self._head: dict[str, Any] = {
            "id": f"resp_{self._place}",
            "object": "response",
            "created_at": int(time.time()),
            "model": run.model,
            "error": None,
            "incomplete_details": None,
            "store": run.thread is not None,
            "truncation": "auto",
            **given,
        }

    def whole(self, answered: Answered, route: str) -> dict[str, Any]:
        """Return the response of a run that is over.

        Raises:
            ApiError: nobody answered.
        """
        check_answered(answered, self._run.thread)
        self._route, self._thoughts, self._text = route, answered.reasoning, answered.text
        self._answered = answered
        return Response.model_validate(self._over()).model_dump(mode="json", exclude_unset=True)

    async def events(self, events: AsyncIterator[Event]) -> AsyncIterator[BaseModel]:
        """Yield the response in pieces; the last one says how it ended, a failure too."""
        numbers = count()
        try:
            async for kind, fields in self._events(events):
                yield _event(kind, fields, next(numbers))
        except Exception as error:
            yield _event("failed", {"response": self._failed(as_api_error(error))}, next(numbers))

    async def _events(self, events: AsyncIterator[Event]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        begun = self._head | {"status": "in_progress", "output": []}
        yield "created", {"response": begun}
        yield "in_progress", {"response": begun}
        yield "output_item.added", {"output_index": 0, "item": self._reasoning_item("in_progress")}
        yield (
            "reasoning_summary_part.added",
            {**self._in_summary, "part": self._summary},
        )
        async for event in events:
            match event:
                case Decided(decision) if not self._closed:
                    delta = reasoning(decision)
                    self._route += delta
                    yield (
                        "reasoning_summary_text.delta",
                        {**self._in_summary, "delta": delta},
                    )
                case Thought(text) if not self._closed:
                    for told in self._think(text):
                        yield told
                case Written(text, logprobs):
                    for told in self._speak(text, (logprobs or {}).get("content") or []):
                        yield told
                case Answered():
                    self._answered = event
        for told in self._end():
            yield told

    def _end(self) -> Told:
        answered = self._answered
        check_answered(answered, self._run.thread)
        if answered.reasoning and not self._thoughts and not self._closed:
            yield from self._think(answered.reasoning)
        if answered.rest or not (self._speaking or answered.calls):
            yield from self._speak(answered.rest, [])
        yield from self._close_reasoning()
        if self._speaking:
            yield "output_text.done", {**self._in_message, "text": self._text, "logprobs": []}
            yield "content_part.done", {**self._in_message, "part": self._text_part}
            yield "output_item.done", {"output_index": 1, "item": self._message_item("completed")}
        for index, call in enumerate(self._calls, 1 + self._speaking):
            yield from _call_events(index, call)
        over = self._over()
        yield over["status"], {"response": over}

    def _think(self, text: str) -> Told:
        if not self._thoughts:
            part = {"type": "reasoning_text", "text": ""}
            yield "content_part.added", {**self._in_reasoning, "content_index": 0, "part": part}
        self._thoughts += text
        yield "reasoning_text.delta", {**self._in_reasoning, "content_index": 0, "delta": text}

    def _close_reasoning(self) -> Told:
        if self._closed:
            return
        self._closed = True
        yield "reasoning_summary_text.done", {**self._in_summary, "text": self._route}
        yield "reasoning_summary_part.done", {**self._in_summary, "part": self._summary}
        if self._thoughts:
            place = {**self._in_reasoning, "content_index": 0}
            yield "reasoning_text.done", {**place, "text": self._thoughts}
            yield "content_part.done", {**place, "part": {"type": "reasoning_text", "text": self._thoughts}}
        yield "output_item.done", {"output_index": 0, "item": self._reasoning_item("completed")}

    def _speak(self, text: str, logprobs: list[Any]) -> Told:
        if not self._speaking:
            yield from self._close_reasoning()
            self._speaking = True
            yield "output_item.added", {"output_index": 1, "item": self._message_item("in_progress")}
            yield "content_part.added", {**self._in_message, "part": self._text_part}
        self._text += text
        if text:
            yield "output_text.delta", {**self._in_message, "delta": text, "logprobs": logprobs}

    def _over(self) -> dict[str, Any]:
        answered, used = self._answered, used_by(self._answered)
        why = _INCOMPLETE.get(answered.finish_reason)
        said = [self._message_item("completed")] if self._text or not answered.calls else []
        return self._head | {
            "status": "incomplete" if why else "completed",
            "incomplete_details": {"reason": why} if why else None,
            "output": [self._reasoning_item("completed"), *said, *self._calls],
            "usage": {
                "input_tokens": used["prompt"],
                "input_tokens_details": {"cached_tokens": used["cached"], "cache_write_tokens": 0},
                "output_tokens": used["completion"],
                "output_tokens_details": {"reasoning_tokens": used["reasoning"]},
                "total_tokens": used["prompt"] + used["completion"],
            },
            "octopus": summary(answered, self._run.thread, self._left_out),
        }

    def _failed(self, error: ApiError) -> dict[str, Any]:
        told = error.body["error"]
        why = {"code": _ERRORS.get(error.status, "server_error"), "message": error.message}
        return self._head | {
            "status": "failed",
            "output": [],
            "error": why | {"type": told["type"], "param": told["param"]},
            "octopus": {"code": error.code, **(error.octopus or {})},
        }

    @property
    def _calls(self) -> list[dict[str, Any]]:
        return [_call_item(f"fc_{self._place}.{k}", call) for k, call in enumerate(self._answered.calls)]

    @property
    def _in_reasoning(self) -> dict[str, Any]:
        return {"item_id": self._reasoning, "output_index": 0}

    @property
    def _in_summary(self) -> dict[str, Any]:
        return {**self._in_reasoning, "summary_index": 0}

    @property
    def _in_message(self) -> dict[str, Any]:
        return {"item_id": self._message, "output_index": 1, "content_index": 0}

    @property
    def _summary(self) -> dict[str, Any]:
        return {"type": "summary_text", "text": self._route}

    @property
    def _text_part(self) -> dict[str, Any]:
        logprobs = (self._answered.logprobs or {}).get("content") or []
        return {"type": "output_text", "text": self._text, "annotations": [], "logprobs": logprobs}

    def _reasoning_item(self, status: str) -> dict[str, Any]:
        done = status == "completed"
        item: dict[str, Any] = {"type": "reasoning", "id": self._reasoning, "status": status}
        item["summary"] = [self._summary] if done else []
        if done and self._thoughts:
            item["content"] = [{"type": "reasoning_text", "text": self._thoughts}]
        return item

    def _message_item(self, status: str) -> dict[str, Any]:
        parts = [self._text_part] if status == "completed" else []
        head = {"type": "message", "id": self._message, "role": "assistant"}
        return {**head, "status": status, "content": parts}


def _event(kind: str, fields: Mapping[str, Any], number: int) -> BaseModel:
    return _EVENT.validate_python({"type": f"response.{kind}", "sequence_number": number, **fields})


def _call_item(key: str, call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(call["args"], ensure_ascii=False)
    head = {"type": "function_call", "id": key, "call_id": call["id"], "name": call["name"]}
    return head | {"arguments": arguments, "status": "completed"}


def _call_events(index: int, done: dict[str, Any]) -> Told:
    place = {"output_index": index, "item_id": done["id"]}
    yield (
        "output_item.added",
        {"output_index": index, "item": done | {"arguments": "", "status": "in_progress"}},
    )
    yield "function_call_arguments.delta", {**place, "delta": done["arguments"]}
    yield "function_call_arguments.done", {**place, "name": done["name"], "arguments": done["arguments"]}
    yield "output_item.done", {"output_index": index, "item": done}
