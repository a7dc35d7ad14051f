"""`/v1/responses` as OpenAI writes it: an answer that can be gone on from."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, Field, TypeAdapter

from app.runs.events import Answered, Decided, Ended, Event, Hopped, Written
from app.runs.run import Run
from app.server.messages import Items
from app.server.options import Options
from app.server.sse import reasoning, summary
from app.server.telemetry import tokens_of

_EVENT: TypeAdapter[BaseModel] = TypeAdapter(ResponseStreamEvent)


class ResponseRequest(BaseModel):
    """What is read of a request; other parameters are ignored.

    Attributes:
        previous_response_id: the answer to go on from; several may go on from one.
        store: whether the answer may be gone on from.
        octopus: budgets, policy, reflection, answers to questions; an extension.
    """

    model: str
    input: str | Items
    instructions: str | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    stream: bool | None = None
    octopus: Options = Field(default_factory=Options)


class Answer:
    """A response while it comes into being: its reasoning, then its message."""

    def __init__(self, run: Run, response_id: str, previous: str | None) -> None:
        self._thread = run.thread
        self._text = ""
        self._thoughts = ""
        self._answered = Answered()
        self._message = f"msg_{run.id}"
        self._reasoning = f"rs_{run.id}"
        self._head: dict[str, Any] = {
            "id": response_id,
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
        """The response when all is over."""
        self._text, self._thoughts, self._answered = answered.text, thoughts, answered
        return Response.model_validate(self._completed()).model_dump(mode="json", exclude_unset=True)

    async def events(self, events: AsyncIterator[Event]) -> AsyncIterator[BaseModel]:
        """The response in pieces."""
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
        yield "output_item.added", {"output_index": 0, "item": self._reasoning_item("in_progress", [])}
        empty = {"type": "summary_text", "text": ""}
        yield "reasoning_summary_part.added", {**thought, "part": empty}
        speaking = False
        async for event in events:
            if isinstance(event, Decided):
                text = reasoning(event.decision)
                self._thoughts += text
                yield "reasoning_summary_text.delta", {**thought, "delta": text}
                continue
            if isinstance(event, Hopped | Ended):
                continue
            if not speaking:
                speaking = True
                for closing in self._reasoning_ends(thought):
                    yield closing
                yield "output_item.added", {"output_index": 1, "item": self._message_item("in_progress", [])}
                yield "content_part.added", {**said, "part": self._part("")}
            text = event.text if isinstance(event, Written) else event.rest
            self._text += text
            if text:
                yield "output_text.delta", {**said, "delta": text, "logprobs": []}
            if isinstance(event, Answered):
                self._answered = event
        for closing in self._message_ends(said):
            yield closing
        yield "completed", {"response": self._completed()}

    def _reasoning_ends(self, thought: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        part = {"type": "summary_text", "text": self._thoughts}
        return [
            ("reasoning_summary_text.done", {**thought, "text": self._thoughts}),
            ("reasoning_summary_part.done", {**thought, "part": part}),
            ("output_item.done", {"output_index": 0, "item": self._reasoning_item("completed", [part])}),
        ]

    def _message_ends(self, said: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        part = self._part(self._text)
        return [
            ("output_text.done", {**said, "text": self._text, "logprobs": []}),
            ("content_part.done", {**said, "part": part}),
            ("output_item.done", {"output_index": 1, "item": self._message_item("completed", [part])}),
        ]

    def _completed(self) -> dict[str, Any]:
        used = tokens_of(self._answered.hops)
        summary_part = {"type": "summary_text", "text": self._thoughts}
        return self._head | {
            "status": "completed",
            "output": [
                self._reasoning_item("completed", [summary_part]),
                self._message_item("completed", [self._part(self._text)]),
            ],
            "usage": {
                "input_tokens": used["prompt"],
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": used["completion"],
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": used["prompt"] + used["completion"],
            },
            "octopus": summary(self._answered, self._thread),
        }

    def _reasoning_item(self, status: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
        return {"type": "reasoning", "id": self._reasoning, "status": status, "summary": parts}

    def _message_item(self, status: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "type": "message",
            "id": self._message,
            "role": "assistant",
            "status": status,
            "content": parts,
        }

    @staticmethod
    def _part(text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
