"""What people say of a hop, kept in the store as rows that a router can be trained on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.store.base import BaseStore
from pydantic import BaseModel, Field

from agents.types import Hop
from app.server.api_keys import Caller
from app.server.errors import ApiError, not_found
from app.server.models import Model
from app.server.owned_store import owner_label

_PAGE = 100


class Feedback(BaseModel):
    """A judgement of one hop.

    Attributes:
        turn: as the hops have it; by default the last turn.
        hop: its place on the path of that turn.
        thumb: whether the node was the right one.
        node: the one that would have been right.
    """

    turn: str | None = Field(default=None, max_length=64)
    hop: int = Field(default=0, ge=0, le=1000)
    thumb: Literal["up", "down"]
    node: str | None = Field(default=None, max_length=200)
    comment: str = Field(default="", max_length=2000)


async def keep(
    store: BaseStore,
    caller: Caller,
    thread: str,
    judged: Feedback,
    step: CheckpointTuple,
    messages: Sequence[BaseMessage],
    model: Model,
) -> dict[str, Any]:
    """Store a judgement; a second one of the same hop replaces the first.

    Args:
        step: a checkpoint of the turn, the hop done.
        messages: what had been said by then.

    Raises:
        ApiError: 404, there is no such hop; 400, the node is not a neighbour where the hop was decided.
    """
    hops: list[Hop] = step.checkpoint["channel_values"].get("hops", [])
    if judged.hop >= len(hops):
        raise not_found()
    hop = hops[judged.hop]
    row = _row(judged, hop, model) | {
        "query": _question(messages, hop["turn"]),
        "graph": model.graph,
        "thread": thread,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    await store.aput(_namespace(caller, thread), f"{hop['turn']}:{judged.hop}", row, index=False)
    return row


async def rows(store: BaseStore, caller: Caller, *, training: bool) -> AsyncIterator[str]:
    """All judgements of a caller as JSON lines; for `training` those only whose right node is known."""
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
    """What was asked in a turn: before its answer, which carries the turn's id; or last, without one."""
    ends = (k for k, message in enumerate(messages) if message.additional_kwargs.get("turn") == turn)
    before = messages[: next(ends, len(messages))]
    return next((str(m.text) for m in reversed(before) if isinstance(m, HumanMessage)), "")


def _namespace(caller: Caller, thread: str | None = None) -> tuple[str, ...]:
    labels = ("feedback", owner_label(caller))
    return (*labels, thread.replace(".", "~")) if thread else labels
