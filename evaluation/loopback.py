"""Run ASGI applications on loopback, among them a model server that refuses what many real ones refuse."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_COUNTS = "no one two three four five six seven eight nine".split()


@contextmanager
def serving_app(app: Any, **settings: Any) -> Iterator[str]:
    """Run `app` with uvicorn and its `settings` in a thread; yield the URL of its root.

    Raises:
        RuntimeError: the server ended while it started.
    """
    import uvicorn

    usual: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "log_level": "error",
        "ws": "none",
        "lifespan": "on",
    }
    server = uvicorn.Server(uvicorn.Config(app, **(usual | settings)))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server on loopback did not start")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@dataclass
class StrictModel:
    """Answer every chat completion with `MODEL` and how many messages came; refuse malformed ones.

    Attributes:
        refused: why requests were refused, in order.
    """

    refused: list[str] = field(default_factory=list)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve the model; yield the reference by which a graph connects it."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        app = Starlette(routes=[Route("/v1/chat/completions", self._complete, methods=["POST"])])
        with serving_app(app, lifespan="off") as url:
            yield f"openai:strict@{url}/v1"

    async def _complete(self, request: Request) -> Response:
        from starlette.responses import JSONResponse, Response

        body = await request.json()
        if fault := fault_of(body.get("messages")):
            self.refused.append(fault)
            return JSONResponse({"error": {"message": fault, "type": "invalid_request_error"}}, 400)
        # In words: a digit could pass for the result that a conversation expects.
        count = len(body["messages"])
        words = _COUNTS[count] if count < len(_COUNTS) else "many"
        said = {"role": "assistant", "content": f"MODEL was sent {words} of the messages."}
        if not body.get("stream"):
            return JSONResponse(_completion("", {"message": said, "finish_reason": "stop"}))
        chunks = (
            _completion(".chunk", {"delta": said}),
            _completion(".chunk", {"delta": {}, "finish_reason": "stop"}),
        )
        lines = [*map(json.dumps, chunks), "[DONE]"]
        return Response("".join(f"data: {line}\n\n" for line in lines), media_type="text/event-stream")


def _completion(kind: str, choice: dict[str, Any]) -> dict[str, Any]:
    head = {"id": "chatcmpl-strict", "object": f"chat.completion{kind}", "created": 0, "model": "strict"}
    return {**head, "choices": [{"index": 0, **choice}]}


def fault_of(messages: Any) -> str:
    """Return what many servers and chat templates would refuse in `messages`, or "".

    One system message, first, if any; then user and assistant in turn, the user last; nothing empty.
    """
    if not isinstance(messages, Sequence) or not messages:
        return "messages is not a list of messages"
    for place, message in enumerate(messages):
        content = message.get("content")
        if not isinstance(content, str) or not content.strip():
            return f"message {place} is empty"
    roles = [message["role"] for message in messages]
    spoken = roles[1:] if roles[0] == "system" else roles
    if len(spoken) % 2 == 0 or spoken != (["user", "assistant"] * len(spoken))[: len(spoken)]:
        return f"after a system message, roles must alternate, the user first and last: {', '.join(roles)}"
    return ""
