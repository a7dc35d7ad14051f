"""The ways in which model servers misbehave, and what should come of each."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate

from tests.misbehaving import ENDLESS, GOOD, SECRET, Behaviour, Call, Kind, chunk, completion, sse, usage

_HTML = f"<!doctype html><html><title>Sign in</title><body>{SECRET}</body></html>"


def streamed(*events: object, done: bool = True) -> Behaviour:
    """Send these events."""
    return lambda call: call.stream(*events, done=done)


def whole(data: object, status: int = 200, kind: str = "application/json", **headers: str) -> Behaviour:
    """Send a whole reply."""
    return lambda call: call.whole(data, status, kind, **headers)


def error(status: int, code: str | None = None, message: str = "No.", **headers: str) -> Behaviour:
    """Send an error as OpenAI's API has it."""
    return lambda call: call.error(status, code, message, **headers)


def once(first: Behaviour) -> Behaviour:
    """Misbehave at the first call only."""
    return lambda call: first(call) if call.count == 1 else call.good()


def begun(then: Callable[[Call], Awaitable[None]]) -> Behaviour:
    """Misbehave in the middle of a stream."""

    async def behave(call: Call) -> None:
        await call.head(kind="text/event-stream")
        await call.write(sse(chunk(content="Forty")))
        await then(call)

    return behave


async def hang(call: Call) -> None:
    await asyncio.sleep(ENDLESS)


async def end(call: Call) -> None:
    pass


async def reset(call: Call) -> None:
    await asyncio.sleep(0.05)  # what was written arrives
    call.reset()


def repeated(data: bytes, seconds: float = 0.0, most: int = ENDLESS) -> Behaviour:
    """Send the same again and again."""

    async def behave(call: Call) -> None:
        while call.sent < most:
            await call.write(data)
            await asyncio.sleep(seconds)

    return behave


def after(head: Behaviour, then: Behaviour) -> Behaviour:
    """Do one after the other."""

    async def behave(call: Call) -> None:
        await head(call)
        await then(call)

    return behave


async def _cut_chunked(call: Call) -> None:
    await call.head(kind="text/event-stream", Transfer_Encoding="chunked")
    data = sse(chunk(content="Forty"))
    await call.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


async def _half_a_body(call: Call) -> None:
    await call.head(Content_Length="5000")
    await call.write(json.dumps(completion({"content": GOOD})).encode()[:50])
    await hang(call)


async def _bomb(call: Call) -> None:
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    await call.head(kind="text/event-stream", Content_Encoding="gzip")
    for _ in range(1000):
        await call.write(deflate.compress(bytes(1_000_000)))
    await call.write(deflate.flush())


async def _zipped(call: Call) -> None:
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    told = sse(chunk(content=GOOD)) + sse(chunk(finish="stop"))
    await call.whole(
        deflate.compress(told) + deflate.flush(), 200, "text/event-stream", Content_Encoding="gzip"
    )


async def _kept_alive(call: Call) -> None:
    told = sse(chunk(content=GOOD)) + sse(chunk(finish="stop")) + b"data: [DONE]\n\n"
    await call.whole(told, 200, "text/event-stream", Connection="keep-alive")


async def _other_form(call: Call) -> None:
    if call.body.get("stream"):
        await call.whole(completion({"content": GOOD}) | {"usage": usage(5)["usage"]})
    else:
        await call.stream(chunk(content=GOOD), chunk(finish="stop"))


async def _redirect(call: Call) -> None:
    await call.whole("", 307, Location=f"http://{call.headers['host']}/redirect-loop/v1/chat/completions")


async def _wait_until(call: Call) -> None:
    await call.error(429, Retry_After=formatdate(time.time() + 1, usegmt=True))


async def _no_http(call: Call) -> None:
    await call.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


async def _many_headers(call: Call) -> None:
    await call.write(b"HTTP/1.1 200 OK\r\n")
    await repeated(b"X-Header: " + b"a" * 1000 + b"\r\n")(call)


_REPLIES: Mapping[str, Kind] = {
    "no-choices": Kind("empty_reply", streamed({"id": "c", "object": "chat.completion.chunk"})),
    "choices-empty": Kind("empty_reply", streamed({"choices": []})),
    "choices-null": Kind("empty_reply", streamed({"choices": None})),
    "choices-of-text": Kind("empty_reply", streamed({"choices": ["Forty-two."]})),
    "delta-null": Kind("empty_reply", streamed({"choices": [{"delta": None, "finish_reason": "stop"}]})),
    "message-null": Kind("empty_reply", whole(completion(None))),
    "content-null": Kind("empty_reply", streamed(chunk(content=None), chunk(finish="stop"))),
    "content-empty": Kind("empty_reply", streamed(chunk(content=""), chunk(finish="stop"))),
    "content-blank": Kind("empty_reply", streamed(chunk(content=" \n"), chunk(finish="stop"))),
    "content-number": Kind("broken_reply", streamed(chunk(content=42), chunk(finish="stop"))),
    "refusal": Kind("refused", streamed(chunk(refusal=f"I cannot. {SECRET}"), chunk(finish="stop"))),
    "filtered": Kind("filtered", streamed(chunk(content=""), chunk(finish="content_filter"))),
    "reasoning-only": Kind("empty_reply", streamed(chunk(reasoning_content="Hm."), chunk(finish="stop"))),
    "length-empty": Kind("empty_reply", streamed(chunk(content=""), chunk(finish="length"))),
    "unasked-call": Kind(
        "broken_reply",
        streamed(
            chunk(tool_calls=[{"index": 0, "id": "1", "function": {"name": "rm", "arguments": "{}"}}]),
            chunk(finish="tool_calls"),
        ),
    ),
    "lone-surrogate": Kind(
        "",
        streamed(
            'data: {"choices":[{"index":0,"delta":{"content":"Forty\\ud83d"}}]}\n\n', chunk(finish="stop")
        ),
        text="Forty\ufffd",
    ),
    "usage-null": Kind("", streamed(chunk(content=GOOD), chunk(finish="stop"), usage(None))),
    "usage-text": Kind("", streamed(chunk(content=GOOD), chunk(finish="stop"), usage("many"))),
    "usage-negative": Kind("", streamed(chunk(content=GOOD), chunk(finish="stop"), usage(-5))),
    "usage-list": Kind(
        "", streamed(chunk(content=GOOD), chunk(finish="stop"), {"choices": [], "usage": [1]})
    ),
    "duplicate-finish": Kind("", streamed(chunk(content=GOOD), chunk(finish="stop"), chunk(finish="stop"))),
    "wrong-index": Kind("", streamed(chunk(content=GOOD, index=7), chunk(finish="stop", index="x"))),
    "no-done": Kind("", streamed(chunk(content=GOOD), chunk(finish="stop"), done=False)),
    "only-done": Kind("", streamed(chunk(content=GOOD))),
    "wrong-content-type": Kind(
        "", whole(sse(chunk(content=GOOD)) + sse(chunk(finish="stop")), kind="text/plain")
    ),
    "other-form": Kind("", _other_form),
    "zipped": Kind("", _zipped),
    "comments-and-names": Kind(
        "", streamed(": hello\n\nevent: message\nid: 1\n", chunk(content=GOOD), ":\n\n", chunk(finish="stop"))
    ),
    "error-in-stream": Kind(
        "server_error", begun(lambda call: call.write(sse({"error": {"message": SECRET}})))
    ),
    "rate-limit-in-stream": Kind(
        "rate_limited", begun(lambda call: call.write(sse({"error": {"code": "rate_limit_exceeded"}})))
    ),
    "error-text-in-stream": Kind("server_error", begun(lambda call: call.write(sse({"error": SECRET})))),
    "error-with-200": Kind("server_error", whole({"error": {"message": SECRET, "type": "server_error"}})),
    "error-of-vllm": Kind("server_error", whole({"object": "error", "message": SECRET, "code": 500})),
}
_FORMS: Mapping[str, Kind] = {
    "html": Kind("broken_reply", whole(_HTML, kind="text/html")),
    "text": Kind("broken_reply", whole(f"Service starting {SECRET}", kind="text/plain")),
    "nothing": Kind("empty_reply", whole("")),
    "no-content": Kind("empty_reply", whole("", 204)),
    "truncated-json": Kind("broken_reply", whole(json.dumps(completion({"content": GOOD}))[:-9])),
    "json-list": Kind("broken_reply", whole([SECRET])),
    "json-text": Kind("broken_reply", whole('"Forty-two."')),
    "deep-json": Kind("broken_reply", whole('{"choices":' + "[" * 100_000)),
    "not-utf8": Kind("broken_reply", begun(lambda call: call.write(b'data: {"choices": ["\xff\xfe"]}\n\n'))),
    "broken-event": Kind("broken_reply", begun(lambda call: call.write(b'data: {"choices": [\n\n'))),
    "event-of-number": Kind("broken_reply", streamed("data: 42\n\n")),
    "no-http": Kind("broken_reply", _no_http),
}
_CUTS: Mapping[str, Kind] = {
    "clean-cut": Kind("cut_off", begun(end), 1),
    "reset-in-stream": Kind("cut_off", begun(reset), 1),
    "cut-chunked": Kind("cut_off", _cut_chunked, 1),
    "reset-before-reply": Kind("unreachable", reset),
    "reset-once": Kind("", once(reset), 2),
    "reset-on-accept": Kind("unreachable", calls=3),
    "connection-refused": Kind("unreachable"),
    "unknown-host": Kind("unreachable"),
    "tls-to-a-plain-port": Kind("unreachable"),
    "untrusted-certificate": Kind("unreachable"),
}
_TIMES: Mapping[str, Kind] = {
    "hang": Kind("timeout", hang, 1),
    "hang-in-stream": Kind("timeout", begun(hang), 1),
    "hang-in-body": Kind("timeout", _half_a_body, 1),
    "hang-in-error": Kind("server_error", after(lambda call: call.head(500, Content_Length="50"), hang)),
    "trickle": Kind("timeout", after(lambda call: call.head(), repeated(b" ", 0.05)), 1),
    "trickle-of-comments": Kind("timeout", begun(repeated(b": wait\n\n", 0.05)), 1),
    "trickle-of-words": Kind("timeout", begun(repeated(sse(chunk(content="a ")), 0.05)), 1),
}
_SIZES: Mapping[str, Kind] = {
    "endless-stream": Kind("too_large", begun(repeated(sse(chunk(content="word " * 20_000)))), 1),
    "gigabyte": Kind(
        "too_large", after(lambda call: call.head(Content_Length=str(ENDLESS)), repeated(b" " * 65536)), 1
    ),
    "long-line": Kind(
        "too_large", begun(after(lambda call: call.write(b'data: {"'), repeated(b"a" * 65536, most=10**8))), 1
    ),
    "endless-html": Kind(
        "too_large", after(lambda call: call.head(kind="text/html"), repeated(_HTML.encode() * 99))
    ),
    "gigabyte-of-error": Kind(
        "server_error",
        after(lambda call: call.head(500, Content_Length=str(ENDLESS)), repeated(b"{" * 65536)),
    ),
    "gzip-bomb": Kind("too_large", _bomb, 1),
    "many-headers": Kind("broken_reply", _many_headers),
}
_STATUSES: Mapping[str, Kind] = {
    "400": Kind("server_error", error(400), 1),
    "400-context": Kind(
        "context_length_exceeded",
        error(400, "context_length_exceeded", "This model's maximum context length is 4096 tokens."),
        2,  # the window is known then
    ),
    "400-context-of-llama": Kind(
        "context_length_exceeded",
        error(400, None, "the request exceeds the available context size. try increasing it"),
        1,
    ),
    "400-parameter": Kind(
        "unsupported_parameter", error(400, "unsupported_parameter", "Unsupported parameter: 'top_p'."), 1
    ),
    "400-filter": Kind("filtered", error(400, "content_filter"), 1),
    "401": Kind("unauthorized", error(401), 1),
    "402": Kind("unauthorized", error(402), 1),
    "403": Kind("unauthorized", whole(_HTML, 403, "text/html"), 1),
    "404": Kind("not_found", whole({"detail": "Not Found"}, 404), 1),
    "404-model": Kind("not_found", error(404, "model_not_found", "The model `tiny` does not exist."), 1),
    "405": Kind("not_found", whole("", 405), 1),
    "413": Kind("context_length_exceeded", whole(_HTML, 413, "text/html"), 1),
    "422": Kind(
        "unsupported_parameter",
        whole({"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"]}]}, 422),
        1,
    ),
    "429": Kind("rate_limited", error(429), 3),
    "429-once-1s": Kind("", once(error(429, Retry_After="1")), 2),
    "429-once-date": Kind("", once(_wait_until), 2),
    "429-for-an-hour": Kind("rate_limited", error(429, Retry_After="3600"), 1),
    "429-quota": Kind("rate_limited", error(429, "insufficient_quota"), 1),
    "429-odd-wait": Kind("rate_limited", error(429, Retry_After="soon"), 3),
    "500-once": Kind("", once(error(500)), 2),
    "500": Kind("server_error", error(500), 3),
    "502": Kind("server_error", whole(_HTML, 502, "text/html"), 3),
    "503": Kind("overloaded", error(503, None, "Loading model"), 3),
    "503-for-an-hour": Kind("overloaded", error(503, Retry_After="3600"), 1),
    "504": Kind("timeout", whole(_HTML, 504, "text/html")),
    "529": Kind("overloaded", error(529), 3),
    "redirect-loop": Kind("not_found", _redirect),
}

KINDS: Mapping[str, Kind] = {"good": Kind("", lambda call: call.good(), 1)} | {
    name: kind
    for group in (_REPLIES, _FORMS, _CUTS, _TIMES, _SIZES, _STATUSES)
    for name, kind in group.items()
}
KEPT_ALIVE: Mapping[str, Kind] = {"kept-alive": Kind("", _kept_alive)}
