"""A small OpenAI-compatible server on loopback, with scripted faults; a real HTTP server, no mock."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ChatServer:
    """What the server does and what it was asked.

    Attributes:
        words: the answer, streamed word by word.
        reply: instead of `words`, the answer to a request's body.
        statuses: of the next requests, in order; 200 when used up.
        fault: what is said with another status.
        delay: seconds before an answer begins.
        calls: of tools, {"name", "arguments" as JSON text}, that the next answers are instead of words.
        pace: seconds between two words.
        left: how many clients did not wait for the end of an answer.
        requests: (headers in lower case, body) of each chat request.
    """

    words: list[str] = field(default_factory=lambda: ["Forty", "-", "two", "."])
    reply: Callable[[Any], str] | None = None
    statuses: list[int] = field(default_factory=list)
    fault: str = ""
    delay: float = 0.0
    calls: list[dict[str, str]] = field(default_factory=list)
    pace: float = 0.0
    left: int = 0
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://127.0.0.1:{self.port}/v1"


class Replying(BaseHTTPRequestHandler):
    """Reads and writes a request's and a reply's body, and logs nothing."""

    def body(self) -> Any:
        """The JSON of the request."""
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def named(self) -> dict[str, str]:
        """The request's headers, in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}

    def reply(self, status: int, kind: str, text: str) -> None:
        """Send a whole reply."""
        data = text.encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass  # the client gave up, as a test of time-outs wants

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """An HTTP server on a free port of loopback; the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(chat: ChatServer) -> Iterator[ChatServer]:
    """Run `chat` on a free port."""
    with listening(_handler(chat)) as chat.port:
        yield chat


def free_port() -> int:
    """A port on loopback where nothing listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return server.server_port


def _handler(chat: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(Replying):
        def do_GET(self) -> None:
            models = [{"id": "tiny", "object": "model", "created": 0, "owned_by": "test"}]
            self.reply(200, "application/json", json.dumps({"object": "list", "data": models}))

        def do_POST(self) -> None:
            body = self.body()
            chat.requests.append((self.named(), body))
            status = chat.statuses.pop(0) if chat.statuses else 200
            time.sleep(chat.delay)
            if status != 200:
                refused = f", {self.headers['Authorization']}" if status == 401 else ""  # as some do
                said = chat.fault or f"scripted {status}{refused}"
                fault = {"error": {"message": said, "type": "server_error"}}
                self.reply(status, "application/json", json.dumps(fault))
                return
            words = [chat.reply(body)] if chat.reply else chat.words
            if not body.get("stream"):
                self.reply(200, "application/json", json.dumps(_whole(chat, words)))
                return
            events = map(_event, _answer(words, body))
            if chat.pace:
                self._write(events)
            else:
                self.reply(200, "text/event-stream", "".join(events))

        def _write(self, events: Iterator[str]) -> None:
            try:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                for event in events:
                    self.wfile.write(event.encode())
                    self.wfile.flush()
                    time.sleep(chat.pace)
            except OSError:
                chat.left += 1

    return Handler


def _whole(chat: ChatServer, words: list[str]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(words)}
    if chat.calls:
        call = {"id": "call", "type": "function", "function": chat.calls.pop(0)}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": "tiny", "choices": [choice]}


def _event(data: Any) -> str:
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n"


def _answer(words: list[str], body: dict[str, Any]) -> Iterator[Any]:
    yield from _chunks(words)
    if (body.get("stream_options") or {}).get("include_usage"):
        used = {"prompt_tokens": 7, "completion_tokens": len(words), "total_tokens": 7 + len(words)}
        yield _chunk({}, None) | {"choices": [], "usage": used}
    yield "[DONE]"


def _chunks(words: list[str]) -> Iterator[dict[str, Any]]:
    for word in words:
        yield _chunk({"role": "assistant", "content": word}, None)
    yield _chunk({}, "stop")


def _chunk(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "tiny", "choices": [choice]}
