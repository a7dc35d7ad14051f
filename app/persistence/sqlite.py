"""Keep conversations in an SQLite file: LangGraph's saver, with locks and with what its server asks for."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_metadata,
)
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from app.persistence.checkpoints import config_of, keep_ahead
from app.persistence.errors import PersistenceError, ThreadLostError
from app.persistence.locks import Manner, lock_owner, to_its_end
from app.persistence.serializer import CheckingSerializer
from app.persistence.sqlite_locks import (
    DELETE_LOCKS,
    IS_LOCKED_BY,
    PATIENCE,
    explained,
    lock,
    make_tables,
    unlock,
)

_PUT = """\
INSERT OR REPLACE INTO checkpoints
    (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_PUT_WRITE = """\
INTO writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_COPY = (
    """\
INSERT INTO checkpoints
    (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
    SELECT ?, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata
    FROM checkpoints WHERE thread_id = ?""",
    """\
INSERT INTO writes
    (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value)
    SELECT ?, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value
    FROM writes WHERE thread_id = ?""",
)
_DELETE = ("DELETE FROM checkpoints WHERE thread_id = ?", "DELETE FROM writes WHERE thread_id = ?")
_ONE = " AND checkpoint_ns = ? AND checkpoint_id = ?"
_OF_RUN = """\
SELECT DISTINCT thread_id FROM checkpoints WHERE json_extract(CAST(metadata AS TEXT), '$.run_id') = ?"""

Statement = tuple[str, Sequence[Sequence[Any]]]
"""SQL, and the rows to execute it for."""

At = tuple[str, str]
"""Namespace and id of a checkpoint."""


@dataclass(frozen=True, slots=True)
class _Step:
    """Hold what a checkpoint stores, and which channels are replayed from those before it."""

    parent: str
    run: object
    stored: frozenset[str]
    replayed: frozenset[str]


class SqliteSaver(AsyncSqliteSaver):
    """Add to LangGraph's saver locks that other processes see, and operations on whole threads and runs.

    A write is done as a whole or not at all, even if its task is cancelled.

    Args:
        connection: to the file.
        file: its whole path; one in memory would have no other processes.
        serde: by default the strict one.
    """

    def __init__(
        self, connection: aiosqlite.Connection, file: str, *, serde: SerializerProtocol | None = None
    ) -> None:
        super().__init__(connection, serde=serde or CheckingSerializer())
        self.file = file

    @classmethod
    @asynccontextmanager
    async def from_conn_string(cls, conn_string: str) -> AsyncIterator[Self]:
        """Open the file with this path; raises ValueError for one in memory."""
        if conn_string in ("", ":memory:"):
            raise ValueError(f"{conn_string!r} is no file; langgraph.checkpoint.memory has InMemorySaver.")
        with explained():
            connection = await aiosqlite.connect(conn_string, timeout=PATIENCE)
        try:
            yield cls(connection, await asyncio.to_thread(os.path.abspath, conn_string))
        finally:
            await connection.close()

    async def setup(self) -> None:
        """Make the tables."""
        if not self.is_setup:
            with explained():
                await asyncio.to_thread(make_tables, self.file)
                await to_its_end(super().setup())

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` points at, or the latest of its namespace."""
        with explained():
            found = await super().aget_tuple(config)
        if found is not None:
            keep_ahead(found.checkpoint["id"])
        return found

    async def alist(self, config: RunnableConfig | None, **options: Any) -> AsyncIterator[CheckpointTuple]:
        """Yield checkpoints, newest first."""
        listing: Any = super().alist(config, **options)
        with explained():
            async with aclosing(listing):  # whoever reads may stop
                async for found in listing:
                    yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint whose parent is the checkpoint of `config`.

        Raises:
            ThreadLostError: the run that writes has lost the lock of its thread.
        """
        where = config["configurable"]
        thread_id, namespace = str(where["thread_id"]), where.get("checkpoint_ns", "")
        kept = json.dumps(get_checkpoint_metadata(config, metadata), ensure_ascii=False)
        row = (
            *(thread_id, namespace, checkpoint["id"], where.get("checkpoint_id")),
            *self.serde.dumps_typed(checkpoint),
            kept.encode("utf-8", "ignore"),
        )
        await self._write((_PUT, [row]), under=config)
        return config_of(thread_id, namespace, checkpoint["id"])

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote after the checkpoint of `config`.

        Raises:
            ThreadLostError: the run that writes has lost the lock of its thread.
        """
        where = config["configurable"]
        place = (str(where["thread_id"]), str(where.get("checkpoint_ns", "")), str(where["checkpoint_id"]))
        rows = [
            (
                *(*place, task_id, task_path, WRITES_IDX_MAP.get(channel, index)),
                *(channel, *self.serde.dumps_typed(value)),
            )
            for index, (channel, value) in enumerate(writes)
        ]
        special = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        manner = "INSERT OR REPLACE " if special else "INSERT OR IGNORE "
        await self._write((manner + _PUT_WRITE, rows), under=config)

    async def adelete_thread(self, thread_id: str) -> None:
        """Remove a thread; what a run of it writes from now on is refused."""
        rows = [(str(thread_id),)]
        await self._write(*((sql, rows) for sql in (*_DELETE, DELETE_LOCKS)))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Remove the checkpoints of runs, but not those that others are replayed from."""
        runs, threads = set(map(str, run_ids)), set()
        await self.setup()
        with explained():
            async with self.lock:
                for run in runs:
                    async with self.conn.execute(_OF_RUN, [run]) as rows:
                        threads |= {str(row[0]) async for row in rows}
        for thread_id in threads:
            steps = await self._steps(thread_id)
            await self._keep(thread_id, steps, {at for at, step in steps.items() if step.run not in runs})

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread to an id that has none; raises `PersistenceError` if it has."""
        source, target = str(source_thread_id), str(target_thread_id)
        if await self.aget_tuple(config_of(target)) is not None:
            raise PersistenceError(
                f"Thread {target!r} exists already.", hint="Delete it first, or copy to a new id."
            )
        await self._write(*((sql, [(target, source)]) for sql in _COPY))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Remove all checkpoints (`delete`), or all that the latest ones do not need (`keep_latest`)."""
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"strategy {strategy!r} is unknown; use 'keep_latest' or 'delete'.")
        for thread_id in map(str, thread_ids):
            if strategy == "delete":
                await self.adelete_thread(thread_id)
            else:
                steps = await self._steps(thread_id)
                latest = dict(sorted(steps))  # by namespace
                await self._keep(thread_id, steps, set(latest.items()))

    @property
    def lock_scope(self) -> str:
        """Return what names the storage: savers of one share its locks."""
        return self.file

    async def alock(self, thread_id: str, owner: str, seconds: float, manner: Manner) -> int:
        """Ask for the lock of a thread, as `LockingSaver` says."""
        return await asyncio.to_thread(lock, self.file, thread_id, owner, seconds, manner)

    async def aunlock(self, thread_id: str, owner: str) -> None:
        """Give a lock, or a place in its queue, back."""
        await asyncio.to_thread(unlock, self.file, owner)

    async def _write(self, *statements: Statement, under: RunnableConfig | None = None) -> None:
        """Execute all statements or none, if the run of the config still holds its lock.

        Not even a cancelled task leaves half a transaction, which would lock the file for everybody.
        """
        await self.setup()
        owner = lock_owner(under, self) if under else None
        with explained():
            await to_its_end(self._transact(statements, owner))

    async def _transact(self, statements: Sequence[Statement], owner: str | None) -> None:
        async with self.lock:
            await self.conn.execute("BEGIN IMMEDIATE")
            try:
                if owner is not None:
                    async with self.conn.execute(IS_LOCKED_BY, [owner]) as found:
                        if await found.fetchone() is None:
                            raise ThreadLostError
                for sql, rows in statements:
                    await self.conn.executemany(sql, rows)
                await self.conn.commit()
            except BaseException:
                await self.conn.rollback()
                raise

    async def _steps(self, thread_id: str) -> dict[At, _Step]:
        """Return the checkpoints of a thread."""
        steps: dict[At, _Step] = {}
        async for found in self.alist({"configurable": {"thread_id": thread_id}}):
            parent = found.parent_config["configurable"]["checkpoint_id"] if found.parent_config else ""
            stored = frozenset(found.checkpoint["channel_values"])
            replayed = frozenset(found.metadata.get("counters_since_delta_snapshot", {})) - stored
            where, run = found.config["configurable"], found.metadata.get("run_id")
            steps[where["checkpoint_ns"], where["checkpoint_id"]] = _Step(parent, run, stored, replayed)
        return steps

    async def _keep(self, thread_id: str, steps: Mapping[At, _Step], wanted: set[At]) -> None:
        """Remove all other checkpoints, but those that the wanted ones are replayed from."""
        rows = [(thread_id, *at) for at in steps.keys() - _with_ancestors(steps, wanted)]
        await self._write(*((sql + _ONE, rows) for sql in _DELETE))


def _with_ancestors(steps: Mapping[At, _Step], wanted: set[At]) -> set[At]:
    """Return the wanted checkpoints, and those before them that their delta channels are replayed from."""
    needed, searched = set(wanted), dict.fromkeys(steps, frozenset[str]())
    todo = [(at, steps[at].replayed) for at in wanted]
    while todo:
        (namespace, id), channels = todo.pop()
        parent = namespace, steps[namespace, id].parent
        if new := channels - searched.get(parent, channels):
            searched[parent] |= new
            needed.add(parent)
            todo.append((parent, new - steps[parent].stored))
    return needed
