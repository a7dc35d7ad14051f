"""Open the saver and the store where conversations are kept: on a Redis or in SQLite files."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from app.persistence.errors import PersistenceError

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore


@dataclass(frozen=True)
class Place:
    """Describe a Redis, or else an SQLite file.

    Attributes:
        sqlite: the file, where there is no Redis.
        redis_url: of the Redis; it may hold a password.
        ttl: seconds that a thread lives after its last use; None means for ever.
        encryption_key: base64 of 16, 24 or 32 bytes; None stores plainly.
        cluster: whether the url is a node of a Redis Cluster.
    """

    sqlite: Path
    redis_url: str | None = field(default=None, repr=False)
    ttl: float | None = None
    encryption_key: str | None = field(default=None, repr=False)
    cluster: bool = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[BaseCheckpointSaver[Any]]:
        """Open the saver; the folder of an SQLite file is made.

        Raises:
            ValueError: the url or the key is wrong.
            PersistenceError: the file cannot be used, or the package that talks to Redis is not installed.
        """
        if self.redis_url:
            async with await self._on_redis("RedisSaver", ttl=self.ttl) as saver:
                yield saver
        else:
            async with self._sqlite_saver() as saver:
                yield saver

    @asynccontextmanager
    async def _sqlite_saver(self) -> AsyncIterator[BaseCheckpointSaver[Any]]:
        from app.persistence.sqlite import SqliteSaver

        await asyncio.to_thread(check_sqlite, self.sqlite)
        async with SqliteSaver.from_conn_string(str(self.sqlite)) as saver:
            yield saver

    @asynccontextmanager
    async def open_store(self) -> AsyncIterator[BaseStore]:
        """Open the long-term store: in the same Redis, or in an SQLite file beside that of the threads.

        Raises:
            ValueError: the url or the key is wrong.
            PersistenceError: the file cannot be used, or the package that talks to Redis is not installed.
        """
        if self.redis_url:
            minutes = {"default_ttl": self.ttl / 60} if self.ttl else None
            async with await self._on_redis("RedisStore", ttl=minutes) as store:
                yield store
        else:
            from langgraph.store.sqlite.aio import AsyncSqliteStore

            file = self.sqlite.with_name("store.sqlite")
            await asyncio.to_thread(check_sqlite, file)
            async with AsyncSqliteStore.from_conn_string(str(file)) as sqlite_store:
                await sqlite_store.setup()
                yield sqlite_store

    async def _on_redis(self, kind: str, **options: Any) -> Any:
        """Return a `RedisSaver` or a `RedisStore`."""
        options |= {"encryption_key": self.encryption_key, "cluster": self.cluster}
        try:
            # In a thread: reading files would block the event loop, which the LangGraph server refuses.
            found = await asyncio.to_thread(getattr, import_module("app.persistence"), kind)
            return await asyncio.to_thread(found.from_url, self.redis_url, **options)
        except ModuleNotFoundError as error:
            raise PersistenceError(
                f"a Redis is set, but {error.name!r} is not installed.", hint="pip install -e '.[redis]'"
            ) from error


def check_sqlite(file: Path) -> None:
    """Check that `file` is an SQLite database, or can become one; its folder is made.

    Raises:
        PersistenceError: it is neither.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA schema_version")
    except (OSError, sqlite3.Error) as error:
        raise PersistenceError(
            f"conversations cannot be kept in '{file}' ({error}).",
            hint="Look at OCTOPUS_HOME and OCTOPUS_CHECKPOINTS.",
        ) from error
