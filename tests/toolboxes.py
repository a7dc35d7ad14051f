"""Toolboxes of small tools, and a model behind a strict server that is asked with one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.types import Choice, FunctionalToken, NodeName, WorkerAnswer, WorkerRequest
from agents.workers.kinds import connect
from agents.workers.models.reference import Connection
from agents.workers.toolbox import Toolbox
from tests.loopback import ChatServer
from tools.declaration import ToolFunction
from tools.registry import functions
from tools.sandbox import Sandbox


class InOrder:
    """Ranks functions in their order."""

    def __init__(self, offered: Sequence[ToolFunction]) -> None:
        self.names = [one.name for one in offered]

    def rank(self, query: str) -> list[Choice]:
        return [Choice(FunctionalToken(""), NodeName(name), 1 / len(self.names)) for name in self.names]

    def fit(self, query: str) -> float:
        return 1.0


def add(first: int, second: int = 1) -> int:
    """Add whole numbers.

    Args:
        first: one of them.
        second: the other.
    """
    return first + second


def weather(city: str) -> dict[str, Any]:
    """Say how the weather is."""
    if city == "Atlantis":
        raise ValueError("it is under water\nTraceback: secret")
    return {"city": city, "sky": "clear"}


def box(sandbox: Sandbox, *things: object, shipped: Sequence[str] = ()) -> Toolbox:
    found = Toolbox(functions(*shipped), sandbox, InOrder)
    found.add((), things, Path())
    return found


async def ask(
    server: ChatServer, tools: Toolbox, query: str = "What is 17 + 25?", **request: Any
) -> WorkerAnswer:
    given = Connection("desk", "You help.", tools=tools)
    worker = connect(f"openai:tiny@{server.url}", given)
    return await worker.answer(WorkerRequest(query, **{"readings": (query,)} | request))


def told(server: ChatServer, turn: int = -1) -> list[tuple[str, Any]]:
    return [(one["role"], one.get("content")) for one in server.requests[turn][1]["messages"]]
