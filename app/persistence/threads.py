"""List, fork, export and import threads of any checkpointer.

An export is JSON lines: a header, then the checkpoints, newest first (see export_file.py); not encrypted.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from app.persistence.checkpoints import config_of, messages_of
from app.persistence.errors import CorruptDataError, LostDataError, PersistenceError, TypeNotAllowedError
from app.persistence.export_file import Channel, ExportReader, ExportWriter, ImportedCheckpoint

_FORMAT = "octopus-thread"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """Describe one thread.

    Attributes:
        thread_id: its id.
        checkpoints: their number, in all namespaces.
        updated: time of the newest, ISO 8601; empty for a thread that cannot be read.
        fault: why it cannot be read.
    """

    thread_id: str
    checkpoints: int
    updated: str
    fault: str = ""


@runtime_checkable
class _Counting(Protocol):
    """Describe a saver that counts without reading."""

    async def athread_ids(self) -> Sequence[str]: ...

    async def athread_size(self, thread_id: str) -> int: ...


async def list_threads(
    saver: BaseCheckpointSaver[Any], limit: int | None = None, *, prefix: str = ""
) -> list[ThreadSummary]:
    """Return the threads of a saver whose ids begin with `prefix`, the one used last first."""
    sizes = await _sizes(saver, prefix)
    summaries = [await _summary(saver, thread_id, count) for thread_id, count in sizes.items()]
    return sorted(summaries, key=lambda summary: summary.updated, reverse=True)[:limit]


async def _summary(saver: BaseCheckpointSaver[Any], thread_id: str, count: int) -> ThreadSummary:
    """Summarise a thread; a damaged one must not hide the others."""
    try:
        newest = [found async for found in saver.alist({"configurable": {"thread_id": thread_id}}, limit=1)]
    except (LostDataError, CorruptDataError, TypeNotAllowedError) as error:
        return ThreadSummary(thread_id, count, "", str(error))
    return ThreadSummary(thread_id, count, newest[0].checkpoint["ts"] if newest else "")


async def _sizes(saver: BaseCheckpointSaver[Any], prefix: str) -> dict[str, int]:
    """Return the number of checkpoints per thread; a saver that cannot count is read in full, slowly."""
    if isinstance(saver, _Counting):
        ids = [thread_id for thread_id in await saver.athread_ids() if thread_id.startswith(prefix)]
        return {thread_id: await saver.athread_size(thread_id) for thread_id in ids}
    if hasattr(saver, "conn") and hasattr(saver, "setup"):  # AsyncSqliteSaver, or ours
        await saver.setup()
        async with saver.conn.execute(
            "SELECT thread_id, COUNT(*) FROM checkpoints"
            " WHERE substr(thread_id, 1, ?) = ? GROUP BY thread_id",
            (len(prefix), prefix),
        ) as rows:
            return {thread_id: count async for thread_id, count in rows}
    counts: dict[str, int] = {}
    async for found in saver.alist(None):
        thread_id = found.config["configurable"]["thread_id"]
        if thread_id.startswith(prefix):
            counts[thread_id] = counts.get(thread_id, 0) + 1
    return counts


async def export_thread(
    saver: BaseCheckpointSaver[Any], thread_id: str, name: str | None = None
) -> AsyncGenerator[str]:
    """Yield the lines of a file, under `name` if given; raises KeyError for a thread that does not exist."""
    writer = ExportWriter(saver)
    empty = True
    steps: Any = saver.alist({"configurable": {"thread_id": thread_id}})
    async with aclosing(steps):  # whoever reads the lines may stop
        async for found in steps:
            if empty:
                yield json.dumps({"format": _FORMAT, "version": _VERSION, "thread_id": name or thread_id})
                empty = False
            yield json.dumps(writer.record(found))
    if empty:
        raise KeyError(f"There is no thread {thread_id!r}.")


async def fork_thread(
    saver: BaseCheckpointSaver[Any], thread_id: str, target: str, checkpoint_id: str | None = None
) -> None:
    """Begin a new thread as `thread_id` was at a checkpoint, by default at its end.

    At the end, the finished tasks of an unfinished step stay finished. At an earlier checkpoint, the step
    that came next is still to do.

    Raises:
        KeyError: there is no such thread, or it has no such checkpoint.
        ValueError: the target exists already.
        PersistenceError: a `DeltaChannel` other than the messages needs the checkpoints before this one.
    """
    found = await saver.aget_tuple(config_of(thread_id, checkpoint_id=checkpoint_id))
    if found is None:
        raise KeyError(f"There is no thread {thread_id!r} with checkpoint {checkpoint_id!r}.")
    if await saver.aget_tuple(config_of(target)) is not None:
        raise ValueError(f"Thread {target!r} exists already.")
    checkpoint, metadata = await _whole(saver, found)
    stored = await saver.aput(config_of(target), checkpoint, metadata, checkpoint["channel_versions"])
    by_task: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in (found.pending_writes or []) if checkpoint_id is None else []:
        by_task.setdefault(task_id, []).append((channel, value))
    for position, (task_id, writes) in enumerate(by_task.items()):
        await saver.aput_writes(stored, writes, task_id, f"{position:010d}")  # keeps their order


async def _whole(
    saver: BaseCheckpointSaver[Any], found: CheckpointTuple
) -> tuple[Checkpoint, CheckpointMetadata]:
    """Return a checkpoint that needs none of those before it, because it holds all its messages."""
    metadata, checkpoint = found.metadata.copy(), found.checkpoint.copy()
    replayed = set(metadata.pop("counters_since_delta_snapshot", {})) - set(checkpoint["channel_values"])
    if others := replayed - {"messages"}:
        raise PersistenceError(f"The channel {min(others)!r} is a DeltaChannel, which no fork takes along.")
    if replayed:
        messages = _DeltaSnapshot(await messages_of(saver, found))
        checkpoint["channel_values"] = {**checkpoint["channel_values"], "messages": messages}
    return checkpoint, metadata


async def import_thread(
    saver: BaseCheckpointSaver[Any], lines: Iterable[str], thread_id: str | None = None
) -> str:
    """Store an exported thread, under its own id or another; return the id.

    Raises:
        ValueError: the lines are not an export, or the thread exists already.
    """
    records = [_json(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not records or records[0].get("format") != _FORMAT or records[0].get("version") != _VERSION:
        raise ValueError(f"This is no exported thread: the first line must say {_FORMAT!r}, {_VERSION}.")
    target = thread_id or str(records[0].get("thread_id"))
    if await saver.aget_tuple(config_of(target)) is not None:
        raise ValueError(f"Thread {target!r} exists already; delete it, or import under another id.")
    versions: dict[Channel, Any] = {}
    for one in reversed(_checkpoints(saver, records[1:])):
        changed = {}
        for name, version in one.checkpoint["channel_versions"].items():
            if versions.get((one.namespace, name)) != version:
                changed[name] = versions[(one.namespace, name)] = version
        config = config_of(target, one.namespace, one.parent)
        stored = await saver.aput(config, one.checkpoint, one.metadata, changed)
        for position, (task_id, writes) in enumerate(one.writes):
            # The path is only used for ordering: the position keeps the order of the original.
            await saver.aput_writes(stored, writes, task_id, f"{position:010d}")
    return target


def _json(number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise ValueError(f"Line {number} is no JSON: {error}.") from error
    if not isinstance(record, dict):
        raise ValueError(f"Line {number} is no JSON object.")
    return record


def _checkpoints(saver: BaseCheckpointSaver[Any], records: list[dict[str, Any]]) -> list[ImportedCheckpoint]:
    reader = ExportReader(saver)
    found = []
    for number, record in enumerate(records, 1):
        try:
            found.append(reader.read(record))
        except TypeNotAllowedError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"Checkpoint {number} of the file cannot be read: {error!r}.") from error
    return found
