"""Serve the turns of a thread: what was asked, the hops to the answer, and where to fork to change them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.base import CheckpointTuple

from agents.types import Hop
from app.persistence.threads.checkpoints import config_of, messages_by_checkpoint
from app.server.dependencies import Owner, Served, ThreadId, hops_of

router = APIRouter(tags=["Threads"])

Said = Mapping[str, Sequence[BaseMessage]]
"""Messages by id of the checkpoint."""


@router.get("/threads/{thread}/turns")
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
        "hops": [hop | {"checkpoint": _beginning(steps, hop)} for hop in _new_hops(first, last)],
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
