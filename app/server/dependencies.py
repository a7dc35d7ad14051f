"""Give routes what they work with, made when the server starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from langgraph.store.base import BaseStore

from app.runs.runner import Runner
from app.server.models import Graphs, Saver
from app.server.settings import ServerSettings
from app.server.telemetry import Telemetry


@dataclass
class Readiness:
    """Hold what the last check found, and when that was on the monotonic clock."""

    found: dict[str, Any] = field(default_factory=dict)
    at: float = float("-inf")


@dataclass(frozen=True)
class Service:
    """Hold the parts of a running server.

    Attributes:
        saver: of threads.
        store: of feedback.
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


async def service(request: Request) -> Service:
    """Return the service, as a FastAPI dependency."""
    found: Service = request.app.state.service
    return found
