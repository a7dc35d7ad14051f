"""Ask short conversations, as people type them, of the real server, and match its last answers.

A row is `{"id", "turns", "expect"[, "kind"]}`: `expect` is a regular expression for the last answer, and
`MODEL` in it means that a model must have been asked: a server on loopback that refuses what many real ones
refuse.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args
from uuid import uuid4

from agents.errors import InputError
from evaluation.report import Advance, Report, no_progress, plain, share, tabulate
from training.rows.labelled_rows import read_json_lines

if TYPE_CHECKING:
    from httpx import Client
    from starlette.requests import Request
    from starlette.responses import Response

Way: TypeAlias = Literal["history", "thread"]
"""How a client sends a conversation: all of it at every turn, or the new turn of a kept thread."""

Row: TypeAlias = Mapping[str, Any]
MakeServer: TypeAlias = Callable[[str], Any]
"""Builds the ASGI application that is asked, every worker of it with the model of this reference."""

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


@dataclass(frozen=True, slots=True)
class Heard:
    """Hold what came of one conversation.

    Attributes:
        row: the conversation.
        way: how it was sent.
        answer: the last one.
        path: the nodes that the last turn went through.
        fault: why it was no answer, or what a worker's model was sent wrongly; "" if nothing was wrong.
    """

    row: Row
    way: Way
    answer: str
    path: tuple[str, ...] = ()
    fault: str = ""

    @property
    def right(self) -> bool:
        """Return whether the answer is as expected."""
        return not self.fault and re.search(self.row["expect"], self.answer) is not None


def read_people(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Read conversations.

    Raises:
        InputError: a file cannot be read, or a row has another form.
    """
    rows = []
    for file in files:
        for number, row in read_json_lines(file):
            turns, expect = row.get("turns"), row.get("expect")
            try:
                if not (turns and isinstance(turns, list) and all(isinstance(turn, str) for turn in turns)):
                    raise ValueError("`turns` is no list of texts")
                if not (isinstance(expect, str) and isinstance(row.get("id"), str)):
                    raise ValueError("`id` or `expect` is no text")
                re.compile(expect)
            except (ValueError, re.error) as error:
                form = 'Write {"id": "…", "turns": ["…"], "expect": "a regular expression"}.'
                raise InputError(f"{file}:{number}: {error}.", hint=form) from error
            rows.append(row)
    return rows


def ask_people(
    rows: Sequence[Row],
    make_server: MakeServer,
    *,
    ways: Sequence[Way] = get_args(Way),
    model: str = "mmlu",
    advance: Advance = no_progress,
) -> list[Heard]:
    """Ask every conversation in each of the `ways` of one server, turn by turn."""
    from httpx import Client

    strict, heard = StrictModel(), []
    with (
        strict.serving() as reference,
        serving_app(make_server(reference)) as url,
        Client(base_url=url, timeout=120, trust_env=False) as client,
    ):
        for way in ways:
            for row in rows:
                heard.append(_ask(client, row, way, model, strict))
                advance(1 / (len(ways) * len(rows)))
    return heard


def _ask(client: Client, row: Row, way: Way, model: str, strict: StrictModel) -> Heard:
    messages: list[dict[str, str]] = []
    headers = {"X-Octopus-Thread": uuid4().hex} if way == "thread" else {}
    answer, path = "", ()
    strict.refused.clear()
    for turn in row["turns"]:
        messages.append({"role": "user", "content": turn})
        sent = messages[-1:] if way == "thread" else messages
        reply = client.post("/v1/chat/completions", json={"model": model, "messages": sent}, headers=headers)
        told = reply.json()
        if octopus := told.get("error", {}).get("octopus"):  # nobody answered; a person asks on
            answer, path = told["error"]["message"], tuple(octopus["path"])
            continue
        if reply.status_code != 200:
            return Heard(row, way, "", fault=f"status {reply.status_code}: {reply.text}")
        answer, path = told["choices"][0]["message"]["content"], tuple(told["octopus"]["path"])
        messages.append({"role": "assistant", "content": answer})
    return Heard(row, way, answer, path, "; ".join(strict.refused))


def evaluate_people(
    rows: Sequence[Row],
    make_server: MakeServer,
    *,
    model: str = "mmlu",
    told: bool = True,
    advance: Advance = no_progress,
) -> Report:
    """Measure the share of conversations whose last answer is right, by kind.

    Args:
        rows: the conversations.
        make_server: see `MakeServer`.
        model: the graph that is asked.
        told: whether the report names those that failed; False keeps sealed rows sealed.
        advance: a progress bar.
    """
    heard = ask_people(rows, make_server, model=model, advance=advance)
    kinds = dict.fromkeys(row["kind"] for row in rows if "kind" in row)
    groups = {kind: [one for one in heard if one.row.get("kind") == kind] for kind in kinds} | {"all": heard}
    found = {kind: {way: _share(own, way) for way in get_args(Way)} for kind, own in groups.items()}
    columns = {way: partial(_cell, way) for way in get_args(Way)}
    text = tabulate("conversations, % right", groups, {"rows": _count, **columns})
    figures: dict[str, Any] = {"rows": len(rows), "right": found}
    if told and (failed := [one for one in heard if not one.right]):
        text += "\n\nNot right:\n\n" + "\n".join(map(_line, failed))
        figures["failed"] = [f"{one.row['id']} ({one.way})" for one in failed]
    return Report("people", text, plain(figures))


def _count(heard: Sequence[Heard]) -> str:
    return str(len({one.row["id"] for one in heard}))


def _share(heard: Sequence[Heard], way: Way) -> float:
    return mean(one.right for one in heard if one.way == way)


def _cell(way: Way, heard: Sequence[Heard]) -> str:
    return share(_share(heard, way))


def _line(one: Heard) -> str:
    shown = " ".join((one.fault or one.answer).split())[:120]
    nodes = " → ".join(one.path) or "nobody"
    return f"- {one.row['id']} ({one.way}), last turn {one.row['turns'][-1]!r}, {nodes}: {shown}"
