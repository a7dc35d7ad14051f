"""A small, strict OpenAI-compatible server on loopback, with scripted replies and faults; real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.replies import Reply, chunks, whole
from tests.strict import fault_of


@dataclass
class ChatServer:
    """What the server does and what it was asked.

    Attributes:
        words: the answer, streamed word by word.
        reply: instead of `words`, the answer to a request's body.
        replies: instead of both, the next answers, in order.
        reads: what its model reads beside text.
        refused: what was wrong with requests; they had status 400, as from strict servers and templates.
        pages: instead of OpenAI's listing, what a path gives: status and JSON; None answers as ever.
        statuses: of the next requests, in order; 200 when used up.
        fault: what is said with another status.
        delay: seconds before an answer begins.
        pace: seconds between two words.
        left: how many clients did not wait for the end of an answer.
        requests: (headers in lower case, body) of each chat request.
    """

    words: list[str] = field(default_factory=lambda: ["Forty", "-", "two", "."])
    reply: Callable[[Any], str | Reply] | None = None
    replies: list[Reply] = field(default_factory=list)
    reads: Collection[str] = ()
    refused: list[str] = field(default_factory=list)
    pages: Callable[[str, Any], tuple[int, Any] | None] | None = None
    statuses: list[int] = field(default_factory=list)
    fault: str = ""
    delay: float = 0.0
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
            if chat.pages is not None:
                self._page(None)
                return
            models = [{"id": "tiny", "object": "model", "created": 0, "owned_by": "test"}]
            self.reply(200, "application/json", json.dumps({"object": "list", "data": models}))

        def do_POST(self) -> None:
            body = self.body()
            if chat.pages is not None and self._page(body):
                return
            chat.requests.append((self.named(), body))
            status = chat.statuses.pop(0) if chat.statuses else 200
            fault = fault_of(body, chat.reads)
            # Before the delay: a client that left must not take the reply of the next one.
            said = _next(chat, body) if status == 200 and not fault else None
            time.sleep(chat.delay)
            if status != 200:
                refused = f", {self.headers['Authorization']}" if status == 401 else ""  # as some do
                told = chat.fault or f"scripted {status}{refused}"
                failure = {"error": {"message": told, "type": "server_error"}}
                self.reply(status, "application/json", json.dumps(failure))
                return
            if said is None:
                chat.refused.append(fault)
                refusal = {"error": {"message": fault, "type": "BadRequestError", "param": None, "code": 400}}
                self.reply(400, "application/json", json.dumps(refusal))
                return
            if not body.get("stream"):
                self.reply(200, "application/json", json.dumps(whole(said, body)))
                return
            events = map(_event, (*chunks(said, body), "[DONE]"))
            if chat.pace:
                self._write(events)
            else:
                self.reply(200, "text/event-stream", "".join(events))

        def _page(self, body: Any) -> bool:
            told = chat.pages(self.path, body) if chat.pages else None
            if told is not None:
                self.reply(told[0], "application/json", json.dumps(told[1]))
            return told is not None

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


def _next(chat: ChatServer, body: Any) -> Reply:
    if chat.replies:
        return chat.replies.pop(0)
    said = chat.reply(body) if chat.reply else Reply(chat.words)
    return said if isinstance(said, Reply) else Reply([said])


def _event(data: Any) -> str:
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n"
