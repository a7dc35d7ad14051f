"""A strict model server that writes slowly, counts its tokens, and notes when its client leaves."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Event
from typing import Any

from tests.loopback import Replying, listening

PACE = 0.02
"""Seconds for a token, fifty a second."""


@dataclass
class Generation:
    """One request.

    Attributes:
        body: what was asked.
        tokens: when each was written, on the monotonic clock.
        left: whether the client left before the end.
        over: set at the end.
    """

    body: dict[str, Any]
    tokens: list[float] = field(default_factory=list)
    left: bool = False
    over: Event = field(default_factory=Event)

    def after(self, moment: float) -> int:
        """How many tokens were written after a moment."""
        return sum(one > moment for one in self.tokens)


@dataclass
class SlowModel:
    """The server.

    Attributes:
        length: tokens of an answer.
        wait: seconds before the first token.
        generations: of all requests, in order.
        refused: what was wrong with requests that were refused.
    """

    length: int = 1_000
    wait: float = 0.0
    generations: list[Generation] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://127.0.0.1:{self.port}/v1"

    def writing(self, count: int = 1, tokens: int = 3) -> list[Generation]:
        """The last `count` generations, when each has `tokens` tokens."""
        _until(lambda: len(self.generations) >= count)
        last = self.generations[-count:]
        _until(lambda: all(len(one.tokens) >= tokens for one in last))
        return last


@contextmanager
def serving(model: SlowModel) -> Iterator[SlowModel]:
    """Run `model` on a free port."""
    with listening(_handler(model)) as model.port:
        yield model


def check_stopped(generations: Sequence[Generation], at: float) -> None:
    """Check that the client of each left, and that it wrote for a second more at most."""
    for one in generations:
        assert one.over.wait(20)
        assert one.left
        assert one.after(at) <= round(1 / PACE)
        print(f"{one.after(at)} tokens after its client left")


def fault_of(messages: list[dict[str, Any]]) -> str:
    """What a strict chat template says against these messages; "" if nothing."""
    roles = [one["role"] for one in messages]
    turns = roles[1:] if roles[:1] == ["system"] else roles
    if "system" in turns:
        return "System message must be at the beginning."
    if not turns or turns[0] != "user" or turns[-1] != "user" or any(a == b for a, b in pairwise(turns)):
        return f"Conversation roles must alternate user/assistant, not {turns}."
    return ""


def _until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.005)


def _handler(model: SlowModel) -> Any:
    class Handler(Replying):
        protocol_version = "HTTP/1.1"  # real servers keep connections, so that only closing one says "stop"

        def do_POST(self) -> None:  # noqa: N802 - the library calls it so
            body = self.body()
            if fault := fault_of(body["messages"]):
                model.refused.append(fault)
                self.reply(400, "application/json", json.dumps({"error": {"message": fault}}))
                return
            one = Generation(body)
            model.generations.append(one)
            try:
                self._write(one)
            except OSError:
                one.left = True
            finally:
                self.close_connection = True
                one.over.set()

        def _write(self, one: Generation) -> None:
            streamed = bool(one.body.get("stream"))
            begins = time.monotonic() + model.wait
            while time.monotonic() < begins:
                self._pass(PACE)
            if streamed:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
            for number in range(model.length):
                self._pass(PACE)
                if streamed:
                    self._event({"delta": {"role": "assistant", "content": f"t{number} "}})
                one.tokens.append(time.monotonic())
            if streamed:
                self._event({"delta": {}, "finish_reason": "stop"})
                self.wfile.write(b"data: [DONE]\n\n")
            else:
                text = "".join(f"t{number} " for number in range(model.length))
                said = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
                self.reply(200, "application/json", json.dumps(_completion("", said)))

        def _pass(self, seconds: float) -> None:
            """Let time pass; raise ConnectionError when the client is gone."""
            connection: socket.socket = self.connection
            if select.select([connection], [], [], seconds)[0] and not connection.recv(1, socket.MSG_PEEK):
                raise ConnectionError

        def _event(self, choice: dict[str, Any]) -> None:
            self.wfile.write(f"data: {json.dumps(_completion('.chunk', choice))}\n\n".encode())

    return Handler


def _completion(kind: str, choice: dict[str, Any]) -> dict[str, Any]:
    head = {"id": "c", "object": f"chat.completion{kind}", "created": 0, "model": "slow"}
    return {**head, "choices": [{"index": 0, **choice}]}
