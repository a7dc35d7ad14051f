"""Serve LangServe at `/octopus`: invoke, batch, stream, stream_events and a playground; extra `langserve`.

The graph is there what a chat model is: messages in, one message out, in pieces where it is streamed. In the
configuration `{"configurable": {...}}` a client may name the `model`, its `thread_id` and `octopus`, the
options of `GraphContext`; the message's `additional_kwargs` hold `reasoning_content` and `octopus`, as the
answers of `/v1/chat/completions` do.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from langchain_core.messages import (
    AIMessageChunk,
    BaseMessage,
    convert_to_messages,
    convert_to_openai_messages,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.runnables import ConfigurableFieldSpec, RunnableGenerator
from langserve import add_routes
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # Pydantic wants that one before Python 3.12

from app.runs.events import Answered, Decided, Event, Thought, Written
from app.runs.run import Run
from app.server.api_keys import Caller
from app.server.dependencies import THREAD, Service
from app.server.errors import ApiError, invalid
from app.server.messages import Messages, read_messages
from app.server.middleware import caller_with
from app.server.parameters import RunOptions
from app.server.sse import check_answered, reasoning, summary, while_connected
from app.server.telemetry import used_by

PATH = "/octopus"
_SENT: TypeAdapter[Messages] = TypeAdapter(Messages)
_MOST_INPUTS = 64  # of one batch
_AT_ONCE = 8  # of them
_WIDGET: dict[str, Any] = {"widget": {"type": "chat", "input": "messages"}}  # of the playground
_ENDPOINTS: Any = (
    "invoke",
    "batch",
    "stream",
    "stream_events",
    "playground",
    "input_schema",
    "output_schema",
)


class Conversation(TypedDict):  # no model: LangServe reads those in a way that Pydantic will give up
    """Hold what is asked: messages as LangChain writes them, the question last."""

    __pydantic_config__ = ConfigDict(json_schema_extra=_WIDGET)  # type: ignore[misc]

    messages: Annotated[list[Any], Field(min_length=1, max_length=1000)]


def _as_conversation(given: Any) -> Any:
    """Return what any chat model takes, a text or messages, as a conversation."""
    if isinstance(given, str):
        return {"messages": [{"role": "user", "content": given}]}
    return {"messages": given} if isinstance(given, list) else given


Given = Annotated[Conversation, BeforeValidator(_as_conversation)]


class Chosen(BaseModel):
    """Hold what a client may configure."""

    model_config = ConfigDict(extra="ignore")

    model: str | None = None
    thread_id: Annotated[str, Field(pattern=THREAD)] | None = None
    octopus: dict[str, Any] | None = None


class _Body(BaseModel):
    """Check the body before LangServe reads it, which reports some wrong types as errors of its own."""

    model_config = ConfigDict(extra="allow")

    config: dict[str, Any] = Field(default_factory=dict)


class _One(_Body):
    input: Any


class _Many(_Body):
    inputs: list[Any] = Field(min_length=1, max_length=_MOST_INPUTS)
    config: dict[str, Any] | list[dict[str, Any]] = Field(default_factory=dict)  # type: ignore[assignment]


def mount(app: FastAPI) -> None:
    """Add LangServe's routes; they need the scope `chat`."""
    add_routes(
        app,
        _Octopus(app),
        path=PATH,
        input_type=Given,
        output_type=AIMessageChunk,
        per_req_config_modifier=_configured,
        enabled_endpoints=_ENDPOINTS,
        dependencies=[Depends(caller_with("chat")), Depends(_check)],
        playground_type="default",
    )


class _Octopus(RunnableGenerator[Any, AIMessageChunk]):
    """Answer as a runnable, which LangServe serves."""

    def __init__(self, app: FastAPI) -> None:
        async def octopus(given: AsyncIterator[Any], config: Any = None) -> AsyncIterator[AIMessageChunk]:
            """Yield the answer in pieces."""
            served: Service = app.state.service
            run = _run(served, [one async for one in given][-1], config["configurable"])
            async with aclosing(served.runner.events(run)) as events:
                async for event in events:
                    for chunk in _chunks(event, run):
                        yield chunk

        super().__init__(octopus, name="octopus")

    async def ainvoke(self, input: Any, config: Any = None, **options: Any) -> AIMessageChunk:
        """Return the whole answer, unless the client leaves; a batch asks here too."""
        request: Request = config["configurable"]["octopus_request"]
        return await while_connected(request, super().ainvoke(input, config, **options))

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """List what a client may configure; LangServe drops the rest."""
        return [
            ConfigurableFieldSpec(id=name, annotation=field.annotation, default=None)
            for name, field in Chosen.model_fields.items()
        ]


def _run(served: Service, given: Any, configurable: Mapping[str, Any]) -> Run:
    chosen: Chosen = configurable["octopus_chosen"]
    options = configurable["octopus_options"]
    return served.graphs.get(str(chosen.model)).run(
        _messages(given, served.settings.message_characters),
        configurable["octopus_caller"],
        chosen.thread_id,
        context=options.context,
        resume=options.resume,
        wait=options.wait,
        pieces=True,
    )


def _chunks(event: Event, run: Run) -> Iterator[AIMessageChunk]:
    match event:
        case Decided(decision):
            yield AIMessageChunk(content="", additional_kwargs={"reasoning_content": reasoning(decision)})
        case Thought(text):
            yield AIMessageChunk(content="", additional_kwargs={"reasoning_content": text})
        case Written(text):
            yield AIMessageChunk(content=text)
        case Answered():
            check_answered(event, run.thread)
            used = used_by(event)
            yield AIMessageChunk(
                content=event.rest,
                additional_kwargs={"octopus": summary(event, run.thread)},
                response_metadata={"finish_reason": event.finish_reason},
                tool_call_chunks=[
                    tool_call_chunk(
                        name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index
                    )
                    for index, call in enumerate(event.calls)
                ],
                usage_metadata=UsageMetadata(
                    input_tokens=used["prompt"],
                    output_tokens=used["completion"],
                    total_tokens=used["prompt"] + used["completion"],
                ),
            )


def _messages(given: Any, most: int) -> list[BaseMessage]:
    """Return the conversation; raise ApiError 400 for what is no message."""
    try:
        sent = [_whole(one) for one in _as_conversation(given)["messages"]]
        written = convert_to_openai_messages(convert_to_messages(sent))
        return read_messages(_SENT.validate_python(written), most).messages
    except (ValueError, TypeError, NotImplementedError, KeyError) as error:
        why = 'The messages are not understood: send a text, a list of messages, or {"messages": […]}.'
        raise ApiError(400, why, code="invalid", param="messages") from error


def _whole(message: Any) -> Any:
    """Return a message; what a stream or `invoke` here gave, a chunk, is one of the assistant."""
    if isinstance(message, dict) and message.get("type") == "AIMessageChunk":
        return message | {"type": "ai"}
    return message


async def _configured(config: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return only what the client may configure, and who it is."""
    caller: Caller = request.state.caller
    try:
        chosen = Chosen.model_validate(config.get("configurable") or {})
        options = RunOptions.model_validate(chosen.octopus or {})
    except ValidationError as error:
        raise invalid(error) from error
    header = request.headers.get("X-Octopus-Thread")
    if header is not None and not re.fullmatch(THREAD, header):
        raise ApiError(
            400, "X-Octopus-Thread is no name of a thread.", code="invalid", param="X-Octopus-Thread"
        )
    served: Service = request.app.state.service
    model = served.graphs.get(chosen.model or next(iter(served.graphs)).id)
    chosen = chosen.model_copy(update={"thread_id": chosen.thread_id or header, "model": model.id})
    found = {"octopus_chosen": chosen, "octopus_options": options, "octopus_caller": caller}
    found["octopus_request"] = request
    return {"configurable": found, "max_concurrency": _AT_ONCE}


async def _check(request: Request) -> None:
    """Refuse a bad request before LangServe streams, when a refusal still has a status of its own."""
    kind = request.url.path.rpartition("/")[2]
    if kind not in ("invoke", "batch", "stream", "stream_events"):
        return
    try:
        body = (_Many if kind == "batch" else _One).model_validate_json(await request.body())
    except ValidationError as error:
        raise invalid(error) from error
    if not isinstance((body.model_extra or {}).get("kwargs", {}), dict):
        raise ApiError(400, "kwargs: Input should be an object.", code="invalid", param="kwargs")
    if request.query_params.get("config_hash"):
        raise ApiError(
            400, "Configurations are not kept here; send `config`.", code="invalid", param="config_hash"
        )
    served: Service = request.app.state.service
    for given in body.inputs if isinstance(body, _Many) else [body.input]:
        _messages(given, served.settings.message_characters)
