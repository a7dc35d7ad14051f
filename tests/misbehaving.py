"""Model servers that misbehave, each in its own way; a real HTTP server on loopback, one path for each kind.

`http://127.0.0.1:PORT/KIND/v1` is the base URL of a kind; that of the kind `asked` misbehaves as the question
says that ends in `misbehave: KIND`. What is below HTTP (no server, TLS) has no path; `places` has its URLs.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SECRET = "planted-upstream-secret"  # must reach no client
GOOD = "Forty-two."
ENDLESS = 10**9  # bytes, or seconds


@dataclass
class Call:
    """One request, and where its reply goes.

    Attributes:
        path: what follows the kind.
        count: how many requests of this kind there were, this one included.
        sent: bytes that were written.
    """

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    count: int
    writer: asyncio.StreamWriter
    sent: int = 0

    async def write(self, data: bytes) -> None:
        """Send bytes; wait while the client does not read."""
        self.sent += len(data)
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """Send the status and headers."""
        told = {"Content-Type": kind, "Connection": "close"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in told.items())]
        await self.write("\r\n".join([*lines, "", ""]).encode())

    async def whole(
        self, data: object, status: int = 200, kind: str = "application/json", **headers: str
    ) -> None:
        """Send a whole reply: bytes, text, or a JSON value."""
        text = data if isinstance(data, str | bytes) else json.dumps(data)
        body = text if isinstance(text, bytes) else text.encode()
        await self.head(status, kind, Content_Length=str(len(body)), **headers)
        await self.write(body)

    async def error(self, status: int, code: str | None = None, message: str = "No.", **headers: str) -> None:
        """Send an error as OpenAI's API has it; it holds what must not be handed on."""
        told = {"message": f"{message} {SECRET}", "type": "error", "param": None, "code": code}
        await self.whole({"error": told}, status, **headers)

    async def stream(self, *events: object, done: bool = True) -> None:
        """Send events; a text goes as it is."""
        await self.head(kind="text/event-stream")
        for event in events:
            await self.write(event.encode() if isinstance(event, str) else sse(event))
        if done:
            await self.write(b"data: [DONE]\n\n")

    async def good(self, text: str = GOOD) -> None:
        """Answer as one should, streamed or not."""
        if self.body.get("stream"):
            await self.stream(chunk(content=text), chunk(finish="stop"), usage(5))
        else:
            await self.whole(completion({"content": text}))

    def reset(self) -> None:
        """Break the connection off."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Call], Awaitable[None]]


@dataclass(frozen=True)
class Kind:
    """A way to misbehave, and what should come of it.

    Attributes:
        code: the typed reason; "" where an answer should come all the same.
        calls: how many requests it takes; None where that is not the point.
        text: the answer.
    """

    code: str
    behave: Behaviour | None = None
    calls: int | None = None
    text: str = GOOD


def sse(event: object) -> bytes:
    """One event of a stream."""
    return f"data: {json.dumps(event)}\n\n".encode()


def chunk(finish: str | None = None, index: object = 0, **delta: object) -> dict[str, Any]:
    """One chunk of a stream."""
    return _object("chat.completion.chunk", [{"index": index, "delta": delta, "finish_reason": finish}])


def completion(message: object, finish: str = "stop") -> dict[str, Any]:
    """A whole answer."""
    if isinstance(message, dict):
        message = {"role": "assistant", **message}
    return _object("chat.completion", [{"index": 0, "message": message, "finish_reason": finish}])


def usage(count: object) -> dict[str, Any]:
    """The chunk that counts tokens."""
    counted = {"prompt_tokens": count, "completion_tokens": count, "total_tokens": count}
    return _object("chat.completion.chunk", []) | {"usage": counted}


def _object(kind: str, choices: object) -> dict[str, Any]:
    return {"id": "c", "object": kind, "created": 0, "model": "tiny", "choices": choices}


@dataclass
class Misbehaving:
    """The running server.

    Attributes:
        calls: the requests of each kind.
        gone: kinds whose client went away before the end.
    """

    kinds: Mapping[str, Kind]
    port: int = 0
    places: dict[str, str] = field(default_factory=dict)
    calls: dict[str, list[Call]] = field(default_factory=dict)

    def url(self, kind: str) -> str:
        """The base URL of a kind."""
        return self.places.get(kind, f"http://127.0.0.1:{self.port}/{kind}/v1")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, which closes then unless it is to be kept alive."""
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._answer(reader, writer) == "kept-alive":
                    pass
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        _, kind, path = (lines[0].split()[1] + "/").split("/", 2)
        headers = {
            name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines[1:])
        }
        data = await reader.readexactly(int(headers.get("content-length", 0)))
        body = json.loads(data or b"{}")
        if kind == "asked":
            kind = str(body["messages"][-1]["content"]).rpartition("misbehave: ")[2].split()[0]
        calls = self.calls.setdefault(kind, [])
        call = Call(path, headers, body, len(calls) + 1, writer)
        calls.append(call)
        behave = self.kinds[kind].behave if kind in self.kinds else None
        if behave is None:
            await call.good()
            return kind
        # A client that leaves ends what goes on for ever.
        acting = asyncio.ensure_future(behave(call))
        leaving = asyncio.ensure_future(reader.read(1))
        await asyncio.wait((acting, leaving), return_when=asyncio.FIRST_COMPLETED)
        for task in (acting, leaving):
            task.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await task
        return kind


@contextmanager
def misbehaving(folder: Path, kinds: Mapping[str, Kind]) -> Iterator[Misbehaving]:
    """Run the server, and what is below HTTP, in a thread."""
    server, started, ended = Misbehaving(kinds), threading.Event(), threading.Event()

    async def run() -> None:
        async with _listening(server, folder):
            started.set()
            await asyncio.to_thread(ended.wait)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.wait([*others, asyncio.ensure_future(asyncio.sleep(0.05))])  # transports close

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    started.wait()
    try:
        yield server
    finally:
        ended.set()
        thread.join()


@asynccontextmanager
async def _listening(server: Misbehaving, folder: Path) -> AsyncIterator[None]:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.calls.setdefault("reset-on-accept", []).append(Call("", {}, {}, 0, writer))
        Call("", {}, {}, 0, writer).reset()

    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(_certificate(folder))
    plain = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    resetting = await asyncio.start_server(reset, "127.0.0.1", 0)
    untrusted = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=secure)
    with ExitStack() as stack:
        for one in (plain, resetting, untrusted):
            stack.callback(one.close)
        ports = [one.sockets[0].getsockname()[1] for one in (plain, resetting, untrusted)]
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            refusing = closed.getsockname()[1]
        server.port = ports[0]
        server.places = {
            "connection-refused": f"http://127.0.0.1:{refusing}/v1",
            "unknown-host": "http://model-server.invalid/v1",
            "tls-to-a-plain-port": f"https://127.0.0.1:{ports[0]}/v1",
            "untrusted-certificate": f"https://127.0.0.1:{ports[2]}/v1",
            "reset-on-accept": f"http://127.0.0.1:{ports[1]}/v1",
        }
        yield


def _certificate(folder: Path) -> Path:
    """A certificate that nobody trusts, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
    ).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "untrusted.pem"
    file.write_bytes(plain + made.public_bytes(pem))
    return file
