"""Send the events of a run to the client; a client that leaves stops the run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from typing import Any, TypeVar

import orjson
from fastapi import Request
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from agents.types import Hop
from app.runs.events import Answered, Decided, Event
from app.server.errors import REQUEST, ApiError, as_api_error, unanswered
from graphs.blocking import cancellable

T = TypeVar("T")
_SEPARATORS = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}
_log = logging.getLogger("octopus.server")


def reasoning(decision: Hop) -> str:
    """Return a decision as a line of reasoning."""
    chosen = f"{decision['master']} → {decision['token']} {decision['node']}"
    return f"{chosen} (p = {decision['probability']:.2f}): {decision['reason']}\n"


def shown(hop: Hop) -> Hop:
    """Return a hop as clients may see it: what a worker says that does not answer may be internal."""
    if hop["status"] in ("planned", "answered"):
        return hop
    why = hop.get("failure")  # hops of an earlier version of this program have none
    return {**hop, "answer": unanswered(why).message if why else "", "evidence": {}}


def summary(answered: Answered, thread: str | None, left_out: Sequence[Any] = ()) -> dict[str, Any]:
    """Return the extension field `octopus`: how the question went through the graph, and at what cost.

    `asked` is what a person is to answer before the run continues, `ended` why walks stopped early,
    `left_out` what of earlier turns nobody read.
    """
    hops = [shown(hop) for hop in answered.hops]
    return {
        "thread": thread,
        "path": answered.path,
        "hops": hops,
        "asked": answered.asked,
        "left_out": list(left_out),
        "ended": [hop["ended"] for hop in hops if hop["ended"]],
        "tokens": answered.tokens,
        "cost": answered.cost,
        "saved": round(sum(hop["saved"] for hop in hops), 9),
        "seconds": round(sum(hop["seconds"] for hop in hops), 6),
    }


_TOLD = ("turn", "branch", "step", "master", "token", "node", "probability", "reason", "status", "failure")


def check_answered(answered: Answered, thread: str | None) -> None:
    """Raise the error of a turn in which nobody answered, and log what workers said of it."""
    failure = answered.failure
    if failure is None:
        return
    failed = [hop for hop in answered.hops if hop["status"] != "answered"]
    for hop in failed:
        why = (hop.get("failure") or failure)["code"]
        _log.warning(
            "Request %s: turn %s: %s: %s: %s", REQUEST.get(), hop["turn"], hop["node"], why, hop["answer"]
        )
    hops = [{name: hop.get(name) for name in (*_TOLD, "seconds")} for hop in answered.hops]
    raise unanswered(failure, {"thread": thread, "path": answered.path, "hops": hops})


async def collect(events: AsyncIterator[Event]) -> tuple[Answered, str]:
    """Return the answer and the reasoning when the run is over."""
    thoughts, answered = "", None
    async for event in events:
        if isinstance(event, Decided):
            thoughts += reasoning(event.decision)
        elif isinstance(event, Answered):
            answered = event
    if answered is None:
        raise RuntimeError("the run ended without an answer")
    return answered, thoughts


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`, which is stopped when the client leaves.

    Raises:
        ApiError: 499, the client left.
    """
    working = asyncio.create_task(cancellable(work))
    leaving = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ApiError(499, "The client left.", code="client_left")  # nobody reads it
        return await working
    finally:
        leaving.cancel()
        working.cancel()
        await asyncio.wait((working,))


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def begun(events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """Wait for the first event, so that an earlier failure has a status of its own; return them all."""
    first = await anext(events)

    async def all_events() -> AsyncGenerator[Event]:
        try:
            yield first
            async for event in events:
                yield event
        finally:
            await events.aclose()

    return all_events()


def _in_a_line(value: Any) -> str:
    """Return JSON without what some clients take for the end of a line, and the protocol does not."""
    return orjson.dumps(value).decode().translate(_SEPARATORS)


def server_sent(chunks: AsyncIterator[BaseModel], *, named: bool) -> EventSourceResponse:
    """Return chunks as server-sent events, ended by [DONE], or `named` by their own type."""

    async def lines() -> AsyncIterator[ServerSentEvent]:
        try:
            async for chunk in chunks:
                data = _in_a_line(chunk.model_dump(mode="json", exclude_unset=True))
                yield ServerSentEvent(data, event=getattr(chunk, "type", None) if named else None, sep="\n")
            if not named:
                yield ServerSentEvent("[DONE]", sep="\n")
        except Exception as error:
            failed = as_api_error(error).body
            if named:
                failed = {"type": "error", **failed["error"], "code": failed["error"]["code"]}
            yield ServerSentEvent(_in_a_line(failed), event="error" if named else None, sep="\n")

    return EventSourceResponse(lines(), sep="\n")
