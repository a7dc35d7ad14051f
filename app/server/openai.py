"""OpenAI's API: models, chat completions and responses.

Extensions, all optional: the header `X-Octopus-Thread` keeps the conversation on the server; the request's
field `octopus` holds budgets, policy and reflection (see `GraphContext`), `approve` and `ask_user`; the
answer's field `octopus` holds `thread`, `path`, `hops`, what they cost, and `asked`: what a person is to
answer. The thread's next message is that answer (`y`, `n`, a node, more words), and so is `resume` in the
field `octopus`.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from langgraph.checkpoint.base import BaseCheckpointSaver

from app.persistence.threads.checkpoints import config_of
from app.server import chat_completions as chat
from app.server import responses
from app.server.api_keys import Caller
from app.server.dependencies import Service, service
from app.server.errors import ApiError
from app.server.messages import read_items, read_messages
from app.server.middleware import caller_with
from app.server.models import Model
from app.server.sse import begun, collect, server_sent, while_connected
from app.server.threads import THREAD

router = APIRouter(prefix="/v1", tags=["OpenAI"])
ThreadId = Annotated[str | None, Header(alias="X-Octopus-Thread", pattern=THREAD)]
Chatter = Annotated[Caller, Depends(caller_with("chat"))]
Served = Annotated[Service, Depends(service)]


@router.get("/models")
async def models(served: Served, caller: Chatter) -> dict[str, Any]:
    """Every graph, and every worker as `graph/worker`."""
    return {"object": "list", "data": [_model(model, served.started) for model in served.graphs]}


@router.get("/models/{model:path}")
async def model(model: str, served: Served, caller: Chatter) -> dict[str, Any]:
    """One of them."""
    return _model(served.graphs.get(model), served.started)


@router.post("/chat/completions")
async def chat_completions(
    body: chat.ChatRequest, request: Request, served: Served, caller: Chatter, thread: ThreadId = None
) -> Response:
    """Answer a conversation."""
    model = served.graphs.get(body.model)
    run = model.run(
        read_messages(body.messages, served.settings.message_characters, model.reads),
        caller,
        thread,
        context=body.octopus.context,
        resume=body.octopus.resume,
        pieces=bool(body.stream),
    )
    events = served.runner.events(run)
    if body.stream:
        usage = bool(body.stream_options and body.stream_options.include_usage)
        return server_sent(chat.chunks(run, await begun(events), usage=usage), named=False)
    answered, thoughts = await while_connected(request, collect(events))
    return JSONResponse(chat.completion(run, answered, thoughts))


@router.post("/responses")
async def create_response(
    body: responses.ResponseRequest,
    request: Request,
    served: Served,
    caller: Chatter,
    thread: ThreadId = None,
) -> Response:
    """Answer, in a form that can be gone on from with `previous_response_id`."""
    checkpoint = None
    if body.previous_response_id:
        thread, checkpoint = await _previous(served.saver, caller, body.previous_response_id)
    elif thread is None and body.store is not False:
        thread = uuid.uuid4().hex
    model = served.graphs.get(body.model)
    run = model.run(
        read_items(body.input, body.instructions, served.settings.message_characters, model.reads),
        caller,
        thread,
        context=body.octopus.context,
        resume=body.octopus.resume,
        pieces=bool(body.stream),
        checkpoint=checkpoint,
    )
    response_id = f"resp_{thread}.{run.id}" if thread else f"resp_{run.id}"
    answer = responses.Answer(run, response_id, body.previous_response_id)
    events = served.runner.events(run)
    if body.stream:
        return server_sent(answer.events(await begun(events)), named=True)
    return JSONResponse(answer.whole(*await while_connected(request, collect(events))))


async def _previous(
    saver: BaseCheckpointSaver[Any], caller: Caller, response_id: str
) -> tuple[str, str | None]:
    """The thread and the last checkpoint of an earlier response of this caller; None is the thread's end."""
    thread, _, run = response_id.removeprefix("resp_").rpartition(".")
    if thread and run.isalnum():
        config = config_of(caller.stored(thread))
        found = [step async for step in saver.alist(config, filter={"run": run}, limit=1)]
        newest = await saver.aget_tuple(config)
        if found and newest:
            step = str(found[0].config["configurable"]["checkpoint_id"])
            # At its end a thread goes on as it is, with what it waits for; before it, from there.
            return thread, None if step == newest.checkpoint["id"] else step
    raise ApiError(404, "There is no such response.", code="not_found", param="previous_response_id")


def _model(model: Model, created: int) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": created,
        "owned_by": "octopus",
        "description": model.description,
    }
