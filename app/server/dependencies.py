"""Hold what the routes work with, and read from a request who calls and which thread is meant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Request
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.store.base import BaseStore

from agents.types import Hop
from app.persistence.checkpoints import config_of
from app.runs.runner import Runner
from app.server.api_keys import Caller
from app.server.errors import not_found
from app.server.middleware import caller_with
from app.server.models import Graphs, Saver
from app.server.settings import ServerSettings
from app.server.telemetry import Telemetry


@dataclass
class Readiness:
    """Hold what the last check found, and when that was, on the monotonic clock."""

    found: dict[str, Any] = field(default_factory=dict)
    at: float = float("-inf")


@dataclass(frozen=True)
class Service:
    """Hold the parts of a running server.

    Attributes:
        saver: keeps threads.
        store: keeps feedback.
        started: seconds since the epoch.
    """

    settings: ServerSettings
    graphs: Graphs
    runner: Runner
    saver: Saver
    store: BaseStore
    telemetry: Telemetry
    started: int
    readiness: Readiness = field(default_factory=Readiness)

    async def newest(self, caller: Caller, thread: str) -> CheckpointTuple:
        """Return the newest checkpoint of a thread of the caller; raise ApiError 404 if there is none."""
        found = await self.saver.aget_tuple(config_of(caller.stored(thread)))
        if found is None:
            raise not_found()
        return found


async def service(request: Request) -> Service:
    """Return the parts of the server that answers."""
    found: Service = request.app.state.service
    return found


def hops_of(step: CheckpointTuple) -> list[Hop]:
    """Return the hops that the run had made by a checkpoint."""
    return list(step.checkpoint["channel_values"].get("hops", []))


THREAD = r"^[A-Za-z0-9_.:@-]{1,128}$"
"""What a caller may call a thread."""

ThreadId = Annotated[str, Path(pattern=THREAD)]
ThreadHeader = Annotated[str | None, Header(alias="X-Octopus-Thread", pattern=THREAD)]
TaskHeader = Annotated[str | None, Header(alias="X-OpenWebUI-Task")]
Served = Annotated[Service, Depends(service)]
Chatter = Annotated[Caller, Depends(caller_with("chat"))]
Owner = Annotated[Caller, Depends(caller_with("threads"))]
Operator = Annotated[Caller, Depends(caller_with("metrics"))]
