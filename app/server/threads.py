"""Serve the threads of a caller: list, read, fork, delete, export. Others' look as if they were not there.

The turns of a thread say what was asked, the hops to the answer, and where to fork to change them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.types import StateSnapshot
from pydantic import BaseModel, Field

from agents.types import UNANSWERED, Hop
from app.persistence.checkpoints import config_of, messages_by_checkpoint, messages_of
from app.persistence.threads import export_thread, fork_thread, list_threads
from app.server import feedback
from app.server.api_keys import Caller
from app.server.dependencies import THREAD, Owner, Served, Service, ThreadId, hops_of
from app.server.errors import ApiError, not_found
from app.server.sse import shown

router = APIRouter(prefix="/threads", tags=["Threads"])
CheckpointId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Said = Mapping[str, Sequence[BaseMessage]]
"""Messages by id of the checkpoint."""


class Fork(BaseModel):
    """Say where to fork, and what the new thread is called.

    Attributes:
        checkpoint: one of the thread's history; by default its end.
        id: the name of the new thread; by default a fresh one.
    """

    checkpoint: CheckpointId | None = None
    id: Annotated[str, Field(pattern=THREAD)] | None = None


@router.get("")
async def listing(
    served: Served,
    caller: Owner,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[str | None, Query(pattern=THREAD)] = None,
) -> dict[str, Any]:
    """List the threads, the one used last first; `after` is the last id of the page before."""
    every = await list_threads(served.saver, prefix=caller.prefix)
    found = [summary for summary in every if "/" not in summary.thread_id[len(caller.prefix) :]]
    ids = [summary.thread_id for summary in found]
    start = ids.index(caller.stored(after)) + 1 if after and caller.stored(after) in ids else 0
    page = []
    for summary in found[start : start + limit]:
        newest = await served.saver.aget_tuple(config_of(summary.thread_id))
        if newest is not None:
            page.append(
                {
                    "id": summary.thread_id[len(caller.prefix) :],
                    "title": _title(await messages_of(served.saver, newest)),
                    "model": newest.metadata.get("model"),
                    "checkpoints": summary.checkpoints,
                    "updated": summary.updated,
                }
            )
    return {"object": "list", "data": page, "has_more": start + limit < len(found)}


@router.get("/{thread}")
async def read(thread: ThreadId, served: Served, caller: Owner) -> dict[str, Any]:
    """Return what was said, the hops of the last run, and if that is not over what comes next or is asked."""
    newest = await served.newest(caller, thread)
    return {
        "id": thread,
        "model": newest.metadata.get("model"),
        "updated": newest.checkpoint["ts"],
        "messages": [_said(message) for message in await messages_of(served.saver, newest)],
        "hops": [shown(hop) for hop in hops_of(newest)],
        **await _waiting(served, caller, newest),
    }


@router.get("/{thread}/history")
async def history(
    thread: ThreadId, served: Served, caller: Owner, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> dict[str, Any]:
    """List checkpoints to fork at, newest first: one before each node, and the path by then."""
    newest = await served.newest(caller, thread)
    compiled = served.graphs.get(str(newest.metadata.get("model"))).compiled(caller)
    steps = compiled.aget_state_history(config_of(caller.stored(thread)), limit=limit)
    data = [_checkpoint(step) async for step in steps]
    return {"object": "list", "data": data}


@router.post("/{thread}/fork", status_code=201)
async def fork(thread: ThreadId, body: Fork, served: Served, caller: Owner) -> dict[str, Any]:
    """Begin a new thread as this one was; ask it another model (`graph/worker`) to compare answers."""
    target = body.id or uuid.uuid4().hex
    try:
        await fork_thread(served.saver, caller.stored(thread), caller.stored(target), body.checkpoint)
    except KeyError:
        raise not_found() from None
    except ValueError:
        raise ApiError(409, "You have a thread of that name already.", code="exists", param="id") from None
    return {"id": target}


@router.delete("/{thread}", status_code=204)
async def delete(thread: ThreadId, served: Served, caller: Owner) -> Response:
    """Forget a thread, with its checkpoints and feedback."""
    await served.newest(caller, thread)
    await served.saver.adelete_thread(caller.stored(thread))
    await feedback.forget(served.store, caller, thread)
    return Response(status_code=204)


@router.get("/{thread}/export")
async def export(thread: ThreadId, served: Served, caller: Owner) -> Response:
    """Return the thread as JSON lines, which `octopus threads import` reads."""
    await served.newest(caller, thread)

    # Read to its end at once: SQLite's saver serves nobody else while a listing is open.
    lines = [line async for line in export_thread(served.saver, caller.stored(thread), thread)]
    return Response("\n".join([*lines, ""]), media_type="application/jsonl")


async def _waiting(served: Service, caller: Caller, step: CheckpointTuple) -> dict[str, Any]:
    """Return the nodes that come next and what a person is asked; None if the model is not served here."""
    model = served.graphs.models.get(str(step.metadata.get("model")))
    if model is None:
        return {"next": None, "asked": None}
    state = await model.compiled(caller).aget_state(step.config)
    asked = [{"id": one.id, **one.value} for one in state.interrupts]
    return {"next": list(state.next), "asked": asked}


def _checkpoint(step: StateSnapshot) -> dict[str, Any]:
    return {
        "checkpoint": step.config["configurable"]["checkpoint_id"],
        "created": step.created_at,
        "step": (step.metadata or {}).get("step"),
        "messages": len(step.values.get("messages", [])),
        "path": [hop["node"] for hop in step.values.get("hops", []) if hop["node"]],
        "next": list(step.next),
    }


def _said(message: BaseMessage) -> dict[str, Any]:
    role = {"human": "user", "ai": "assistant"}.get(message.type, message.type)
    told = {"role": role, "name": message.name, "content": str(message.text)}
    if message.additional_kwargs.get(UNANSWERED):  # what a worker said of it may be internal
        return told | {"content": "", "unanswered": True}
    return told


def _title(messages: Sequence[BaseMessage], most: int = 80) -> str:
    first = next((" ".join(str(m.text).split()) for m in messages if m.type == "human"), "")
    return first if len(first) <= most else first[: most - 1] + "…"


@router.get("/{thread}/turns")
async def turns(
    thread: ThreadId, served: Served, caller: Owner, limit: Annotated[int, Query(ge=1, le=2000)] = 500
) -> dict[str, Any]:
    """List the turns, oldest first, as far as the newest `limit` checkpoints tell.

    Each has the model, the number of messages before it, whether it was answered, the checkpoint before it,
    and its hops, each with the checkpoint at which it begins: null if the thread was forked off later. A fork
    there that is asked the same of the same model does that hop again.
    """
    await served.newest(caller, thread)
    # To its end: SQLite's saver serves nobody else while a listing is open.
    steps = [step async for step in served.saver.alist(config_of(caller.stored(thread)), limit=limit)]
    said = await messages_by_checkpoint(served.saver, steps)
    found = [_turn(turn, said) for turn in _by_turn(steps[::-1]) if not _empty(turn)]
    return {"object": "list", "data": [*_inherited(steps[-1], said), *found]}


def _inherited(first: CheckpointTuple, said: Said) -> list[dict[str, Any]]:
    """Return the turn before the first one of a fork, of which only the end is known."""
    hops = hops_of(first)
    if not _takes_in(first) or not hops:
        return []
    ended = _turn([first], said)
    return [ended | {"checkpoint": None, "hops": [hop | {"checkpoint": None} for hop in hops]}]


def _by_turn(steps: Sequence[CheckpointTuple]) -> Iterator[list[CheckpointTuple]]:
    """Group checkpoints, oldest first, by turn: a new turn begins where a question is taken in."""
    turn: list[CheckpointTuple] = []
    for step in steps:
        if turn and _takes_in(step):
            yield turn
            turn = []
        turn.append(step)
    yield turn


def _turn(steps: list[CheckpointTuple], said: Said) -> dict[str, Any]:
    first, last = steps[0], steps[-1]
    messages = said[_id(last)]
    return {
        "model": last.metadata.get("model"),
        "before": max((k for k, message in enumerate(messages) if message.type == "human"), default=0),
        "answered": bool(messages) and messages[-1].type == "ai",
        "checkpoint": _id(first) if _takes_in(first) else None,
        "hops": [shown(hop) | {"checkpoint": _beginning(steps, hop)} for hop in _new_hops(first, last)],
    }


def _new_hops(first: CheckpointTuple, last: CheckpointTuple) -> list[Hop]:
    """Return the hops of a turn; a fork begins with some of them, all else with those of the turn before."""
    turn = last.checkpoint["channel_values"].get("turn")
    old = hops_of(first) if _takes_in(first) else []
    return [hop for hop in hops_of(last) if hop["turn"] == turn and hop not in old]


def _beginning(steps: list[CheckpointTuple], hop: Hop) -> str | None:
    """Return the last checkpoint of a turn without the hop: the one from which its worker was asked."""
    without = [step for step in steps if hop not in hops_of(step)]
    return _id(without[-1]) if without else None


def _takes_in(step: CheckpointTuple) -> bool:
    return step.metadata.get("source") == "input"


def _empty(turn: list[CheckpointTuple]) -> bool:
    """Say whether this is a fork from before a question, where none was asked yet."""
    return len(turn) == 1 and _takes_in(turn[0])


def _id(step: CheckpointTuple) -> str:
    return str(step.config["configurable"]["checkpoint_id"])
