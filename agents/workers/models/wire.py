"""Read what servers with OpenAI's protocol send: bounded in size, checked, and mended where that is plain.

The official client has no limits: it would read a line of any length into memory, unpack a bomb, and take a
page of HTML, or a stream that breaks off, for an answer.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
import zlib
from collections.abc import AsyncIterator
from functools import cache
from typing import Any, Literal, cast

import httpx2
import openai

from agents.workers.models.failures import ModelFaultError, fault, fault_told

MOST_BYTES = 32_000_000  # of a reply: more than 100,000 tokens, each in an event of its own
_MOST_LINE = 4_000_000  # of one event
_MOST_ERROR = 64_000
_PATIENCE = 1.0  # seconds for the body of an error
_FIELDS = (b"data:", b"event:", b"id:", b"retry:")
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


@cache
def clients() -> dict[str, Any]:
    """Return the clients that all models share, as `ChatOpenAI` takes them."""
    return {"http_async_client": CheckingClient(), "http_client": openai.DefaultHttpxClient()}


class CheckingClient(openai.DefaultAsyncHttpxClient):
    """Send requests as the official client does, and check the replies while they are read.

    Connections belong to the event loop that opened them; each loop has its own.
    """

    def __init__(self) -> None:
        self._tls = httpx2.create_ssl_context()  # slow, and the same for all
        self._of_loops: dict[asyncio.AbstractEventLoop, httpx2.AsyncClient] = {}
        self._keepers: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}
        super().__init__(verify=self._tls)

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        """Return the response.

        Raises:
            ModelFaultError: the body, which is not streamed, is no answer.
        """
        request.headers["Accept-Encoding"] = "identity"
        response = await self._client().send(request, stream=True, **options)
        packed = response.headers.pop("content-encoding", "identity")
        expected: Expected = "events" if stream else "document"
        response.stream = _Checked(
            cast(httpx2.AsyncByteStream, response.stream),
            packed,
            expected if response.is_success else "error",
            request.extensions["timeout"]["read"],
        )
        if not stream:
            response.headers["content-type"] = "application/json"  # else it would be taken for text
            await response.aread()
        return response

    def _client(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._of_loops:
            client = openai.DefaultAsyncHttpxClient(verify=self._tls, max_redirects=5)
            self._of_loops[loop] = client
            self._keepers[loop] = loop.create_task(self._keep(client), name="connections to models")
        return self._of_loops[loop]

    async def _keep(self, client: httpx2.AsyncClient) -> None:
        """Close the connections of a loop when it ends, which cancels its tasks."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_future()
        finally:
            del self._of_loops[loop], self._keepers[loop]
            await client.aclose()


Expected = Literal["events", "document", "error"]


class _Checked(httpx2.AsyncByteStream):
    """Check a body while it is read.

    Args:
        source: the bytes as they come.
        packed: how they are compressed.
        expected: what they should be.
        patience: seconds without an event.
    """

    def __init__(
        self, source: httpx2.AsyncByteStream, packed: str, expected: Expected, patience: float | None
    ) -> None:
        self._source = source
        self._packed = packed
        self._expected = expected
        self._patience = patience or math.inf
        self._parts: AsyncIterator[bytes] | None = None
        self._heard = time.monotonic()

    def __aiter__(self) -> AsyncIterator[bytes]:
        if self._parts is not None:  # what comes after the end is drained: the connection is used again
            return self._parts
        self._parts = aiter(self._source)
        checked = {"events": self._events, "document": self._document, "error": _beginning}
        return checked[self._expected](self._parts)

    async def aclose(self) -> None:
        await self._source.aclose()

    async def _document(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the body as one JSON object."""
        data = b"".join([part async for part in self._bytes(parts)])
        yield _written(sound(_read(data), "message"))

    async def _events(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the events of a stream; the whole answer of a server that does not stream becomes one.

        Raises:
            ModelFaultError: it is no stream of events, or it ends before the answer does.
        """
        begun, ended, finished, pending = False, False, False, b""
        lines = self._lines(parts)
        async for line in lines:
            if not begun and line.lstrip()[:1] not in (b"", b":") and not line.startswith(_FIELDS):
                yield await _as_event(line, lines)
                return
            event = None
            if line.startswith(b"data:"):
                data = line[5:].strip()
                if ended := data == b"[DONE]":
                    break
                event = None if pending else _parsed(data)
                pending = b"" if event else pending + data
            elif pending and not line.strip():  # the end of an event, whose data has several lines
                event, pending = _read(pending), b""
            if event is not None:
                begun, event = True, sound(event, "delta")
                finished = finished or any(choice.get("finish_reason") for choice in event["choices"])
                yield b"data: " + _written(event) + b"\n\n"
                self._heard = time.monotonic()
        if not (ended or finished):
            raise ModelFaultError(fault("cut_off" if begun or pending else "empty_reply", detail="no end"))
        yield b"data: [DONE]\n\n"

    async def _lines(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield lines; the last one may be without an end."""
        rest = bytearray()
        async for part in self._bytes(parts):
            *lines, last = part.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
            for line in lines:
                rest += line
                yield bytes(rest)
                rest.clear()
            rest += last
            if len(rest) > _MOST_LINE:
                raise ModelFaultError(fault("too_large", detail="one line"))
        if rest:
            yield bytes(rest)

    async def _bytes(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield what was sent, unpacked.

        Raises:
            ModelFaultError: it is too much, packed in an unknown way, or cut off.
        """
        if self._packed not in ("identity", "gzip", "deflate"):  # nothing but the first was asked for
            raise _broken(f"Content-Encoding: {self._packed}")
        unpack = None if self._packed == "identity" else zlib.decompressobj(47)
        left = MOST_BYTES
        try:
            async for part in parts:
                found = part if unpack is None else unpack.decompress(part, left + 1)
                left -= len(found)
                if left < 0:
                    raise ModelFaultError(fault("too_large", detail="the whole"))
                if time.monotonic() - self._heard > self._patience:  # comments, or a byte now and then
                    raise ModelFaultError(fault("timeout", detail="no event"))
                yield found
        except zlib.error as error:
            raise _broken(str(error)) from error
        except (httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
            raise ModelFaultError(fault("cut_off", detail=str(error))) from error


async def _beginning(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the beginning of an error, as far as it comes soon."""
    left, deadline = _MOST_ERROR, asyncio.get_running_loop().time() + _PATIENCE
    try:
        while left > 0:
            async with asyncio.timeout_at(deadline):
                part = (await anext(parts))[:left]
            left -= len(part)
            yield part
    except (StopAsyncIteration, TimeoutError, httpx2.HTTPError):
        return


async def _as_event(first: bytes, lines: AsyncIterator[bytes]) -> bytes:
    if not first.lstrip().startswith((b"{", b"[")):
        raise _broken(first)
    answer = sound(_read(b"\n".join([first, *[line async for line in lines]])), "message")
    for choice in answer["choices"]:
        choice["delta"] = choice.pop("message")
    return b"data: " + _written(answer) + b"\n\ndata: [DONE]\n\n"


def sound(reply: Any, part: Literal["message", "delta"]) -> dict[str, Any]:
    """Return a reply, or an event of one, with what clients stumble over put right.

    Raises:
        ModelFaultError: it is no JSON object, or tells an error.
    """
    if not isinstance(reply, dict):
        raise _broken(str(reply))
    if reply.get("error") or reply.get("object") == "error":
        raise ModelFaultError(fault_told(reply))
    choices = [one for one in _list(reply.get("choices")) if isinstance(one, dict)]
    for choice in choices:
        choice["index"] = choice["index"] if isinstance(choice.get("index"), int) else 0
        choice[part] = _sound_message(choice.get(part))
    return {**reply, "choices": choices, "usage": _sound_usage(reply.get("usage"))}


def _sound_message(message: Any) -> dict[str, Any]:
    if not isinstance(message, dict):
        return {}
    content, calls = message.get("content"), _list(message.get("tool_calls"))
    if content is not None and not isinstance(content, str | list):
        raise _broken(f"content: {content!r}")
    calls = [one for one in calls if isinstance(one, dict) and isinstance(one.get("function"), dict)]
    found = {name: value for name, value in message.items() if name != "tool_calls"}
    return found | ({"tool_calls": calls} if calls else {})


def _sound_usage(usage: Any) -> dict[str, Any] | None:
    """Return what was counted; None where it is no number of tokens."""
    if not isinstance(usage, dict) or not all(_is_count(usage.get(name, 0)) for name in _COUNTS):
        return None
    details = {name: own for name, own in usage.items() if _are_counts(own)}
    return {name: usage[name] for name in _COUNTS if name in usage} | details


def _are_counts(value: Any) -> bool:
    return isinstance(value, dict) and all(one is None or _is_count(one) for one in value.values())


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and value >= 0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _parsed(data: bytes) -> Any:
    try:
        return _read(data)
    except ModelFaultError:
        return None


def _read(data: bytes) -> Any:
    """Read JSON.

    Raises:
        ModelFaultError: it is not JSON.
    """
    if not data.strip():
        raise ModelFaultError(fault("empty_reply"))
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _broken(data) from error


def _written(reply: dict[str, Any]) -> bytes:
    """Write JSON as UTF-8; halves of surrogate pairs are put together, or replaced."""
    text = json.dumps(reply, ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _broken(said: bytes | str) -> ModelFaultError:
    return ModelFaultError(
        fault("broken_reply", detail=said if isinstance(said, str) else said[:2000].decode(errors="replace"))
    )
