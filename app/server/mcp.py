"""Serve MCP at `/mcp` (streamable HTTP): every graph is a tool; the extra `mcp`.

Nothing is kept between requests, so that any server may answer the next. A client is given the id of a
session only to say by it which of its calls it cancels; one that closes the connection cancels too.

It stays on the package's low-level server: FastMCP gives the root logger a handler that wraps lines, reads
`.env` and `FASTMCP_*` beside our settings, and sends clients the text of every error.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Annotated, Any

import orjson
from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from agents.octopus.conversation.human_turns import clean_query
from app.runs.events import Answered, Decided
from app.runs.run import Run
from app.runs.runner import StoppedError
from app.server.api_keys import Caller
from app.server.dependencies import THREAD, Service
from app.server.errors import ApiError, as_api_error, invalid
from app.server.middleware import allowed
from app.server.models import Model
from app.server.sse import check_answered, reasoning

PATH = "/mcp"
_Call = tuple[str, str | None, str]
"""Names a call: whose it is, in which session, and the request's id."""


class Question(BaseModel):
    """Describe what a tool is given."""

    question: str = Field(min_length=1, description="One question, or several in one sentence.")
    worker: str | None = Field(
        default=None, description="A specialist to ask by name; by default the Octopus chooses."
    )
    thread: Annotated[str, Field(pattern=THREAD)] | None = Field(
        default=None, description="Keeps the conversation under this name, so that a later question goes on."
    )


class Answer(BaseModel):
    """Describe what a tool gives back."""

    answer: str
    path: list[str] = Field(description="The specialists that were asked.")
    probability: list[float] = Field(description="How sure the Octopus was of each.")
    asked: bool = Field(description="Whether the answer is a question to you; answer it in the same thread.")


def mount(app: FastAPI) -> None:
    """Add the route; it works while `serving` is open."""
    app.router.routes.append(Route(PATH, _Endpoint(app), methods=["POST"], include_in_schema=False))


@asynccontextmanager
async def serving(app: FastAPI, served: Service) -> AsyncIterator[None]:
    """Answer MCP for `app`."""
    calls: dict[_Call, str] = {}
    manager = StreamableHTTPSessionManager(
        _server(served, calls), stateless=True, max_request_body_size=served.settings.body_bytes
    )

    def cancel(call: _Call) -> None:
        served.runner.stop(calls.get(call, ""), StoppedError("cancelled", "the request was cancelled."))

    async with manager.run():
        app.state.mcp = manager, cancel
        yield


class _Endpoint:
    """Answer as an ASGI application, because MCP's library answers the connection itself."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller = allowed(scope["state"]["caller"], "chat")
        manager, cancel = self._app.state.mcp
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        asked = _read(b"".join(message.get("body", b"") for message in messages))

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and asked.get("method") == "initialize":
                MutableHeaders(scope=message)[MCP_SESSION_ID_HEADER] = uuid.uuid4().hex
            await send(message)

        if asked.get("method") == "notifications/cancelled" and isinstance(asked.get("params"), dict):
            session = Headers(scope=scope).get(MCP_SESSION_ID_HEADER)
            # MCP's library looks for the call in this request, where it never is.
            cancel((caller.name, session, str(asked["params"].get("requestId"))))
        await manager.handle_request(scope, again, sending)


def _read(body: bytes) -> dict[str, Any]:
    """Return the message of a request; {} if MCP's library is to say what is wrong with it."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _server(served: Service, calls: dict[_Call, str]) -> Server[Any, Any]:
    server: Server[Any, Any] = Server("octopus-graph")
    models = {_tool_name(model.graph): model for model in served.graphs if model.worker is None}

    @server.list_tools()  # type: ignore[no-untyped-call, untyped-decorator]
    async def tools() -> list[types.Tool]:
        return [_tool(name, model) for name, model in models.items()]

    @server.call_tool(validate_input=False)  # type: ignore[untyped-decorator]
    async def ask(name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        try:
            if name not in models:
                raise ApiError(404, f"There is no such tool; there are {', '.join(models)}.")
            run = _run(served, server, models[name], Question.model_validate(arguments))
            request: Any = server.request_context.request
            session = request.headers.get(MCP_SESSION_ID_HEADER)
            call = (request.state.caller.name, session, str(server.request_context.request_id))
            if session:  # else calls of several clients have the same name
                calls[call] = run.id
            try:
                return await _ask(served, server, run)
            finally:
                calls.pop(call, None)
        except ValidationError as error:
            return _fault(invalid(error).message)
        except Exception as error:
            return _fault(as_api_error(error).message)

    return server


def _run(served: Service, server: Server[Any, Any], model: Model, asked: Question) -> Run:
    most = served.settings.message_characters
    if len(asked.question) > most:
        raise ApiError(400, f"The question has more than {most} characters.")
    chosen = served.graphs.get(f"{model.id}/{asked.worker}" if asked.worker else model.id)
    request: Any = server.request_context.request
    return chosen.run([HumanMessage(clean_query(asked.question))], request.state.caller, asked.thread)


async def _ask(served: Service, server: Server[Any, Any], run: Run) -> types.CallToolResult:
    answered = Answered()
    async with aclosing(served.runner.events(run)) as events:
        async for event in events:
            if isinstance(event, Decided):
                await _progress(server, reasoning(event.decision).strip())
            elif isinstance(event, Answered):
                answered = event
    check_answered(answered, run.thread)
    answer = Answer(
        answer=answered.text,
        path=[hop["node"] for hop in answered.hops],
        probability=[hop["probability"] for hop in answered.hops],
        asked=bool(answered.asked),
    )
    text = types.TextContent(type="text", text=answered.text)
    return types.CallToolResult(content=[text], structuredContent=answer.model_dump())


async def _progress(server: Server[Any, Any], text: str) -> None:
    """Tell a client that wants to know it where the question goes."""
    context = server.request_context
    if context.meta and context.meta.progressToken is not None:
        await context.session.send_progress_notification(
            context.meta.progressToken, 0.0, message=text, related_request_id=str(context.request_id)
        )


def _tool(name: str, model: Model) -> types.Tool:
    workers = ", ".join(model.assembly.spec.workers)
    return types.Tool(
        name=name,
        description=f"{model.description.strip()} Answers a question with its specialists: {workers}.",
        inputSchema=Question.model_json_schema(),
        outputSchema=Answer.model_json_schema(),
    )


def _tool_name(graph: str) -> str:
    return "ask_" + re.sub(r"[^A-Za-z0-9_-]", "_", graph)


def _fault(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], isError=True)
