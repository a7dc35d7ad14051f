"""Routes of feedback."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse
from langgraph.checkpoint.base import CheckpointTuple

from app.persistence.threads.checkpoints import config_of, messages_of
from app.server import feedback
from app.server.api_keys import Caller
from app.server.dependencies import Service
from app.server.errors import not_found
from app.server.threads import Owner, Served, ThreadId, hops_of, newest_of

router = APIRouter(tags=["Feedback"])


@router.post("/threads/{thread}/feedback", status_code=201)
async def judge(thread: ThreadId, body: feedback.Feedback, served: Served, caller: Owner) -> dict[str, Any]:
    """Say whether a hop went to the right node, or which would have been."""
    step = await _step(served, caller, thread, body.turn)
    model = served.graphs.get(str(step.metadata.get("model")))
    messages = await messages_of(served.saver, step)
    return await feedback.keep(served.store, caller, thread, body, step, messages, model)


@router.get("/feedback")
async def export(served: Served, caller: Owner, training: bool = False) -> Response:
    """Your judgements as JSON lines; with `training`, rows that `octopus train router --rows` reads."""
    return StreamingResponse(
        feedback.rows(served.store, caller, training=training), media_type="application/jsonl"
    )


async def _step(served: Service, caller: Caller, thread: str, turn: str | None) -> CheckpointTuple:
    """The last checkpoint of a turn."""
    newest = await newest_of(served, caller, thread)
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
