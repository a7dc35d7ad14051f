"""The checkpointer of the environment, for `checkpointer.path` of langgraph.json.

    {"checkpointer": {"path": "app.persistence.checkpointer.checkpointer"}}

REDIS_URL names a Redis; without it conversations are in an SQLite file. Further variables: REDIS_CLUSTER (1
for a cluster), OCTOPUS_THREAD_TTL (seconds), OCTOPUS_ENCRYPTION_KEY (base64 of 16, 24 or 32 bytes),
OCTOPUS_CHECKPOINTS (the SQLite file).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import BaseCheckpointSaver

if TYPE_CHECKING:
    from app.persistence.redis_saver import RedisSaver


@asynccontextmanager
async def checkpointer() -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """The saver that the environment asks for."""
    async with open_saver(
        os.environ.get("REDIS_URL"), sqlite_file(os.environ), **redis_options(os.environ)
    ) as saver:
        yield saver


@asynccontextmanager
async def open_saver(
    redis_url: str | None, sqlite: Path, **redis_options: Any
) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    """A saver on Redis if there is a url, else on an SQLite file, whose folder is made."""
    if redis_url:
        # In a thread: reading files would block the event loop, which the LangGraph server refuses.
        async with await asyncio.to_thread(_redis_saver, redis_url, redis_options) as saver:
            yield saver
    else:
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        sqlite.parent.mkdir(parents=True, exist_ok=True)
        async with AsyncSqliteSaver.from_conn_string(str(sqlite)) as saver:
            yield saver


def _redis_saver(url: str, options: Mapping[str, Any]) -> RedisSaver:
    from app.persistence.redis_saver import RedisSaver

    return RedisSaver.from_url(url, **options)


def redis_options(environment: Mapping[str, str]) -> dict[str, Any]:
    """Keyword arguments of `RedisSaver.from_url`; raises ValueError for a ttl that is no number."""
    ttl = environment.get("OCTOPUS_THREAD_TTL")
    try:
        seconds = float(ttl) if ttl else None
    except ValueError:
        raise ValueError(f"OCTOPUS_THREAD_TTL={ttl!r} is no number of seconds.") from None
    return {
        "ttl": seconds,
        "encryption_key": environment.get("OCTOPUS_ENCRYPTION_KEY") or None,
        "cluster": environment.get("REDIS_CLUSTER", "").lower() in ("1", "true", "yes"),
    }


def sqlite_file(environment: Mapping[str, str]) -> Path:
    """Where conversations are without Redis."""
    if chosen := environment.get("OCTOPUS_CHECKPOINTS"):
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("octopus-graph") / "checkpoints.sqlite"
