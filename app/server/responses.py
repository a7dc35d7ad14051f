"""Serve `/v1/responses` as OpenAI writes it: answers that a later question can follow."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from langchain_core.messages import AIMessage
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from openai.types.responses import ResponseIncludable
from pydantic import BeforeValidator, Field, model_validator
from sse_starlette import EventSourceResponse

from agents.generation import Effort, apart
from app.persistence.checkpoints import config_of, messages_of
from app.runs.events import Event
from app.runs.run import Run
from app.server.api_keys import Caller
from app.server.client_prompts import answer_client, is_of_client
from app.server.content import mended
from app.server.dependencies import Chatter, Served, TaskHeader, ThreadHeader
from app.server.errors import ApiError
from app.server.messages import Conversation, Item, Items, read_items
from app.server.parameters import AnyRequest, ResponseTool, Short, Strict, Unsupported, only
from app.server.response_events import Answer
from app.server.sse import (
    begun,
    collect,
    server_sent,
    while_connected,
)
from graphs.state import GraphContext

router = APIRouter(prefix="/v1", tags=["OpenAI"])
_LOGPROBS = "message.output_text.logprobs"


class StreamOptions(Strict):
    """Describe `stream_options`."""

    include_obfuscation: Annotated[bool | None, only(False)] = None


class Reasoning(Strict):
    """Describe `reasoning`; its summary is the route, and always there."""

    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None
    context: Annotated[Any, only("auto")] = None
    mode: Annotated[Any, only("standard")] = None


class TextForm(Strict):
    """Describe `text.format`: what chat completions call `response_format`."""

    type: Annotated[str, only("text", "json_object", "json_schema")]
    name: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    description: str | None = None
    strict: bool | None = None

    @model_validator(mode="after")
    def _whole(self) -> TextForm:
        for name, value in (("name", self.name), ("schema", self.schema_)):
            if self.type == "json_schema" and value is None:
                raise apart(name, "it is needed with the type json_schema")
        return self

    @property
    def as_chat(self) -> dict[str, Any]:
        """Return it as chat completions write it."""
        told = self.model_dump(by_alias=True, exclude_none=True, exclude={"type"})
        return {"type": self.type} | ({"json_schema": told} if self.type == "json_schema" else {})


class Text(Strict):
    """Describe `text`."""

    format: TextForm | None = None
    verbosity: Annotated[Any, only("medium")] = None


class ResponseRequest(AnyRequest):
    """Describe a request.

    Attributes:
        previous_response_id: the response to continue from; several may continue from one.
        store: whether a later request may continue from this response.
        include: more about the answer; of all but the log-probabilities there is nothing to include.
        truncation: older turns that do not fit into a model's context are always left out.
    """

    input: Items
    instructions: Annotated[str | None, BeforeValidator(mended)] = None
    previous_response_id: Short | None = None
    store: bool | None = None
    max_output_tokens: int | None = Field(default=None, ge=1, le=10_000_000)
    tools: tuple[ResponseTool, ...] | None = Field(default=None, max_length=128)  # type: ignore[assignment]
    reasoning: Reasoning | None = None
    text: Text | None = None
    include: list[Annotated[str, only(*get_args(ResponseIncludable))]] | None = None
    stream_options: StreamOptions | None = None
    truncation: Annotated[Any, only("auto")] = None
    n: Annotated[int | None, only(1)] = None
    background: Annotated[bool | None, only(False)] = None
    access_programs: Unsupported = None
    context_management: Unsupported = None
    conversation: Unsupported = None
    image: Unsupported = None
    max_tool_calls: int | None = Field(default=None, ge=1, le=100)
    prompt: Unsupported = None

    @property
    def given(self) -> dict[str, Any]:
        """Return what a response says of its request."""
        names = {
            "temperature",
            "top_p",
            "top_logprobs",
            "max_output_tokens",
            "reasoning",
            "text",
            "max_tool_calls",
            "instructions",
        }
        told = self.model_dump(include=names, exclude_none=True, by_alias=True)
        nothing = {"description": None, "parameters": None, "strict": None}
        tools = [nothing | tool.model_dump(by_alias=True, exclude_none=True) for tool in self.tools or ()]
        return (
            self.kept
            | told
            | {
                "previous_response_id": self.previous_response_id,
                "tools": tools,
                "tool_choice": self.tool_choice or "auto",
                "parallel_tool_calls": self.parallel_tool_calls is not False,
            }
        )

    @property
    def context(self) -> GraphContext:
        """Return the context of the run."""
        found = super().context
        most = {"max_tool_calls": self.max_tool_calls}
        return found if self.max_tool_calls is None else found.model_copy(update=most)

    def _asked(self) -> Iterator[tuple[str, str, Any]]:
        for param, name, value in super()._asked():
            if name == "tools":
                yield param, name, [_nested(tool) for tool in value]
            elif name == "tool_choice":
                yield param, name, _nested_choice(value)
            else:
                yield param, name, value
        if self.max_output_tokens is not None:
            yield "max_output_tokens", "max_tokens", self.max_output_tokens
        if self.reasoning and self.reasoning.effort:
            yield "reasoning.effort", "reasoning_effort", self.reasoning.effort
        if self.text and self.text.format:
            yield "text.format", "response_format", self.text.format.as_chat
        if _LOGPROBS in (self.include or ()) or self.top_logprobs:
            yield "include", "logprobs", True


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Return a function as chat completions write it."""
    about = {
        key: value for key, value in flat.items() if key in ("name", "description", "parameters", "strict")
    }
    return {"type": flat["type"], "function": about}


def _nested_choice(choice: Any) -> Any:
    """Return a `tool_choice` as chat completions write it; what is none stays, to be refused."""
    match choice:
        case {"type": "function", "name": name}:
            return {"type": "function", "function": {"name": name}}
        case {"type": "allowed_tools", "mode": mode, "tools": [*tools]}:
            return {
                "type": "allowed_tools",
                "allowed_tools": {"mode": mode, "tools": [*map(_nested_choice, tools)]},
            }
    return choice


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
    model, context = served.graphs.get(body.model), body.context
    goes_on = thread is not None or body.previous_response_id is not None
    # Instructions are those of one response: without any, earlier ones end.
    told = body.instructions or ("" if goes_on else None)
    most = served.settings.message_characters
    items = [one async for one in _items(served.saver, caller, body.input)]
    asked = read_items(items, told, most, model.reads, goes_on=goes_on)
    if is_of_client(asked.messages, task, tools=context.generation.offers_tools):
        run = model.run(asked.messages, caller, context=context)
        return await _answered(body, request, run, asked, answer_client(served, model, run))
    checkpoint = None
    if body.previous_response_id:
        place = body.previous_response_id.removeprefix("resp_")
        thread, step = await _step(served.saver, caller, place, "previous_response_id")
        checkpoint = str(step.config["configurable"]["checkpoint_id"])
    elif thread is None and body.store is not False:
        thread = uuid.uuid4().hex
    run = model.run(
        asked.messages,
        caller,
        thread,
        context=context,
        resume=body.octopus.resume,
        wait=body.octopus.wait,
        pieces=bool(body.stream),
        checkpoint=checkpoint,
    )
    return await _answered(body, request, run, asked, served.runner.events(run))


async def _answered(
    body: ResponseRequest, request: Request, run: Run, asked: Conversation, events: AsyncGenerator[Event]
) -> EventSourceResponse | JSONResponse:
    answer = Answer(run, body.given, asked.left_out)
    if body.stream:
        return server_sent(answer.events(await begun(events)), named=True)
    return JSONResponse(answer.whole(*await while_connected(request, collect(events))))


async def _step(
    saver: BaseCheckpointSaver[Any], caller: Caller, place: str, param: str
) -> tuple[str, CheckpointTuple]:
    """Return the thread and the last step of the response of this caller that is `THREAD.RUN`."""
    thread, _, run = place.rpartition(".")
    if thread and run.isalnum():
        config = config_of(caller.stored(thread))
        found = [step async for step in saver.alist(config, filter={"run": run}, limit=1)]
        if found:
            return thread, found[0]
    what = "response" if param == "previous_response_id" else "item"
    raise ApiError(404, f"There is no such {what}.", code="not_found", param=param)


async def _items(
    saver: BaseCheckpointSaver[Any], caller: Caller, sent: Sequence[Item]
) -> AsyncIterator[Item]:
    """Yield the items; those of earlier responses that are only named are looked up."""
    for index, item in enumerate(sent):
        kind, _, place = (item.id or "").partition("_")
        if item.type != "item_reference" or kind == "rs":
            yield item
            continue
        place, _, number = place.rpartition(".") if kind == "fc" else (place, "", "0")
        _, step = await _step(saver, caller, place, f"input.{index}.id")
        said = (await messages_of(saver, step))[-1:]
        calls = said[0].tool_calls if said and isinstance(said[0], AIMessage) else []
        if kind == "fc" and number.isdecimal() and int(number) < len(calls):
            call = calls[int(number)]
            arguments = json.dumps(call["args"])
            yield Item(type="function_call", call_id=call["id"], name=call["name"], arguments=arguments)
        elif kind == "msg" and said:
            yield Item(role="assistant", content=str(said[0].text))
        else:
            raise ApiError(404, "There is no such item.", code="not_found", param=f"input.{index}.id")
