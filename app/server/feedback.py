"""Keep what people say of a hop, as rows that a router can be trained on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.store.base import BaseStore
from pydantic import BaseModel, Field

from agents.types import Hop
from app.persistence.checkpoints import config_of, messages_of
from app.server.api_keys import Caller, owner_label
from app.server.dependencies import Owner, Served, Service, ThreadId, hops_of
from app.server.errors import ApiError, not_found
from app.server.models import Model

router = APIRouter(tags=["Feedback"])
_PAGE = 100


class Feedback(BaseModel):
    """Judge one hop.

    Attributes:
        turn: the turn as its hops name it; by default the last one.
        hop: its place on the path of that turn.
        thumb: whether the node was the right one.
        node: the one that would have been right.
    """

    turn: str | None = Field(default=None, max_length=64)
    hop: int = Field(default=0, ge=0, le=1000)
    thumb: Literal["up", "down"]
    node: str | None = Field(default=None, max_length=200)
    comment: str = Field(default="", max_length=2000)


@router.post("/threads/{thread}/feedback", status_code=201)
async def judge(thread: ThreadId, body: Feedback, served: Served, caller: Owner) -> dict[str, Any]:
    """Say whether a hop went to the right node, or which would have been; a second judgement replaces it."""
    step = await _step(served, caller, thread, body.turn)
    hops = hops_of(step)
    if body.hop >= len(hops):
        raise not_found()
    hop, model = hops[body.hop], served.graphs.get(str(step.metadata.get("model")))
    row = _row(body, hop, model) | {
        "query": _question(await messages_of(served.saver, step), hop["turn"]),
        "graph": model.graph,
        "thread": thread,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    await served.store.aput(_namespace(caller, thread), f"{hop['turn']}:{body.hop}", row, index=False)
    return row


@router.get("/feedback")
async def export(served: Served, caller: Owner, training: bool = False) -> StreamingResponse:
    """Return your judgements as JSON lines; with `training`, rows for `octopus train router --rows`."""
    rows = _rows(served.store, caller, training=training)
    return StreamingResponse(rows, media_type="application/jsonl")


async def _rows(store: BaseStore, caller: Caller, *, training: bool) -> AsyncIterator[str]:
    offset = 0
    while found := await store.asearch(_namespace(caller), limit=_PAGE, offset=offset):
        offset += len(found)
        for item in found:
            if not training or "node" in item.value:
                yield json.dumps(item.value, ensure_ascii=False) + "\n"


async def forget(store: BaseStore, caller: Caller, thread: str) -> None:
    """Delete the judgements of a thread."""
    namespace = _namespace(caller, thread)
    while found := await store.asearch(namespace, limit=_PAGE):
        for item in found:
            await store.adelete(item.namespace, item.key)


async def _step(served: Service, caller: Caller, thread: str, turn: str | None) -> CheckpointTuple:
    """Return the last checkpoint of a turn."""
    newest = await served.newest(caller, thread)
    if turn is None:
        return newest
    # To its end, and not until it is found: SQLite's saver serves nobody else while a listing is open.
    steps = [step async for step in served.saver.alist(config_of(caller.stored(thread)))]
    of_turn = (step for step in [newest, *steps] if _turn(step) == turn)
    if step := next(of_turn, None):
        return step
    raise not_found()


def _turn(step: CheckpointTuple) -> str | None:
    hops = hops_of(step)
    return hops[-1]["turn"] if hops else None


def _row(judged: Feedback, hop: Hop, model: Model) -> dict[str, Any]:
    row: dict[str, Any] = {
        "turn": hop["turn"],
        "hop": judged.hop,
        "master": hop["master"],
        "chosen": hop["node"],
        "token": hop["token"],
        "probability": hop["probability"],
        "thumb": judged.thumb,
        "comment": judged.comment,
    }
    right = judged.node or (hop["node"] if judged.thumb == "up" else None)
    if right is None:
        return row
    neighbours = model.assembly.spec.nodes[hop["master"]].neighbours  # type: ignore[index]
    if right not in neighbours:
        raise ApiError(400, f"{hop['master']!r} has no such neighbour.", code="invalid", param="node")
    return row | {"node": right}


def _question(messages: Sequence[BaseMessage], turn: str) -> str:
    """Return the question of a turn: before its answer, which carries the turn's id; or last, without one."""
    ends = (k for k, message in enumerate(messages) if message.additional_kwargs.get("turn") == turn)
    before = messages[: next(ends, len(messages))]
    return next((str(m.text) for m in reversed(before) if isinstance(m, HumanMessage)), "")


def _namespace(caller: Caller, thread: str | None = None) -> tuple[str, ...]:
    labels = ("feedback", owner_label(caller))
    return (*labels, thread.replace(".", "~")) if thread else labels
