"""List, show, export and import threads of any checkpointer.

An export is JSON lines, newest checkpoint first: a header, then per checkpoint its metadata, its writes and
the channels that differ from the checkpoint before it in the file. A list is said relative to the list before
it, so that a file grows with the conversation, not with its square.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
)

_FORMAT = "octopus-thread"
_VERSION = 1
_Channel = tuple[str, str]
"""Namespace and channel."""


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """One thread: its id, number of checkpoints in all namespaces, and the time of the newest (ISO 8601)."""

    thread_id: str
    checkpoints: int
    updated: str


@runtime_checkable
class _Counting(Protocol):
    """A saver that counts without reading."""

    async def athread_ids(self) -> Sequence[str]: ...

    async def athread_size(self, thread_id: str) -> int: ...


async def list_threads(
    saver: BaseCheckpointSaver[Any], limit: int | None = None, *, prefix: str = ""
) -> list[ThreadSummary]:
    """The threads of a saver whose ids begin with `prefix`, the one used last first."""
    summaries = [
        ThreadSummary(thread_id, count, newest.checkpoint["ts"])
        for thread_id, count in (await _sizes(saver, prefix)).items()
        async for newest in saver.alist({"configurable": {"thread_id": thread_id}}, limit=1)
    ]
    return sorted(summaries, key=lambda summary: summary.updated, reverse=True)[:limit]


async def _sizes(saver: BaseCheckpointSaver[Any], prefix: str) -> dict[str, int]:
    """Number of checkpoints per thread. A saver that cannot count is read in full, which takes long."""
    if isinstance(saver, _Counting):
        ids = [thread_id for thread_id in await saver.athread_ids() if thread_id.startswith(prefix)]
        return {thread_id: await saver.athread_size(thread_id) for thread_id in ids}
    if hasattr(saver, "conn") and hasattr(saver, "setup"):  # AsyncSqliteSaver
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
) -> AsyncIterator[str]:
    """Lines of a file, under `name` if given; raises KeyError for a thread that does not exist."""
    writer = _Writer(saver)
    empty = True
    async for found in saver.alist({"configurable": {"thread_id": thread_id}}):
        if empty:
            yield json.dumps({"format": _FORMAT, "version": _VERSION, "thread_id": name or thread_id})
            empty = False
        yield json.dumps(writer.record(found))
    if empty:
        raise KeyError(f"There is no thread {thread_id!r}.")


async def fork_thread(
    saver: BaseCheckpointSaver[Any], thread_id: str, target: str, checkpoint_id: str | None = None
) -> None:
    """A new thread that begins as `thread_id` was at a checkpoint, by default at its end.

    Raises:
        KeyError: there is no such thread, or it has no such checkpoint.
        ValueError: the target exists already.
    """
    found = await saver.aget_tuple(_config(thread_id, "", checkpoint_id))
    if found is None:
        raise KeyError(f"There is no thread {thread_id!r} with checkpoint {checkpoint_id!r}.")
    if await saver.aget_tuple(_config(target, "", None)) is not None:
        raise ValueError(f"Thread {target!r} exists already.")
    versions = found.checkpoint["channel_versions"]
    stored = await saver.aput(_config(target, "", None), found.checkpoint, found.metadata, versions)
    by_task: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in found.pending_writes or []:
        by_task.setdefault(task_id, []).append((channel, value))
    for task_id, writes in by_task.items():
        await saver.aput_writes(stored, writes, task_id)


async def import_thread(
    saver: BaseCheckpointSaver[Any], lines: Iterable[str] | AsyncIterable[str], thread_id: str | None = None
) -> str:
    """Store an exported thread, under its own id or another; returns the id.

    Raises:
        ValueError: the lines are no export, or the thread exists already.
    """
    records = [json.loads(line) async for line in _each(lines) if line.strip()]
    if not records or records[0].get("format") != _FORMAT or records[0].get("version") != _VERSION:
        raise ValueError(f"This is no exported thread: the first line must say {_FORMAT!r}, {_VERSION}.")
    target = thread_id or str(records[0]["thread_id"])
    if await saver.aget_tuple({"configurable": {"thread_id": target}}) is not None:
        raise ValueError(f"Thread {target!r} exists already; delete it, or import under another id.")
    reader = _Reader(saver)
    versions: dict[_Channel, Any] = {}
    for one in reversed([reader.read(record) for record in records[1:]]):
        changed = {}
        for name, version in one.checkpoint["channel_versions"].items():
            if versions.get((one.namespace, name)) != version:
                changed[name] = versions[(one.namespace, name)] = version
        config = _config(target, one.namespace, one.parent)
        stored = await saver.aput(config, one.checkpoint, one.metadata, changed)
        for position, (task_id, writes) in enumerate(one.writes):
            # The path is only used for ordering: the position keeps the order of the original.
            await saver.aput_writes(stored, writes, task_id, f"{position:010d}")
    return target


async def _each(lines: Iterable[str] | AsyncIterable[str]) -> AsyncIterator[str]:
    if isinstance(lines, AsyncIterable):
        async for line in lines:
            yield line
    else:
        for line in lines:
            yield line


def _config(thread_id: str, namespace: str, checkpoint_id: str | None) -> RunnableConfig:
    configurable = {"thread_id": thread_id, "checkpoint_ns": namespace}
    if checkpoint_id:
        configurable["checkpoint_id"] = checkpoint_id
    return {"configurable": configurable}


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_list(value: Any) -> bool:
    return type(value) is list


class _Speech:
    """What the writer and the reader of a file both remember: the last list of each channel name."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        self._serde = saver.serde
        self.lists: dict[str, list[Any]] = {}

    def remember(self, name: str, items: list[Any], keep: int) -> None:
        """Later lists are said relative to this one, unless it is short and has nothing in common."""
        if keep or len(items) >= len(self.lists.get(name, [])):
            self.lists[name] = items


class _Writer(_Speech):
    """Checkpoints to records, newest first."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(saver)
        self._versions: dict[_Channel, Any] = {}

    def record(self, found: CheckpointTuple) -> dict[str, Any]:
        checkpoint = found.checkpoint
        namespace = found.config["configurable"].get("checkpoint_ns", "")
        changed = {}
        for name, value in checkpoint["channel_values"].items():
            version = checkpoint["channel_versions"].get(name)
            if version is None or self._versions.get((namespace, name)) != version:
                changed[name] = self._say(name, value)
            self._versions[(namespace, name)] = version
        return {
            "ns": namespace,
            "parent": found.parent_config["configurable"]["checkpoint_id"] if found.parent_config else None,
            "checkpoint": self._encode({k: v for k, v in checkpoint.items() if k != "channel_values"}),
            "metadata": self._encode(found.metadata),
            "channels": changed,
            "same": [name for name in checkpoint["channel_values"] if name not in changed],
            "writes": self._writes(found.pending_writes or []),
        }

    def _writes(self, writes: list[PendingWrite]) -> list[list[Any]]:
        """Consecutive writes of one task together."""
        groups: list[list[Any]] = []
        for task_id, channel, value in writes:
            if not groups or groups[-1][0] != task_id:
                groups.append([task_id, []])
            groups[-1][1].append([channel, self._say(channel, value)])
        return groups

    def _say(self, name: str, value: Any) -> dict[str, Any]:
        if type(value) is dict and all(map(_is_text, value)) and any(map(_is_list, value.values())):
            return {"dict": {key: self._say(key, part) for key, part in value.items()}}
        if not _is_list(value):
            return {"value": self._encode(value)}
        items = [self._encode(item) for item in value]
        before = self.lists.get(name, [])
        keep = 0
        while keep < min(len(before), len(items)) and before[keep] == items[keep]:
            keep += 1
        self.remember(name, items, keep)
        return {"keep": keep, "items": items[keep:]}

    def _encode(self, value: Any) -> list[str]:
        form, data = self._serde.dumps_typed(value)
        return [form, base64.b64encode(data).decode()]


class _Reader(_Speech):
    """Records to checkpoints, metadata and writes, in the order of the file."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(saver)
        self._values: dict[_Channel, Any] = {}

    def read(self, record: dict[str, Any]) -> _Imported:
        namespace = record["ns"]
        for name, said in record["channels"].items():
            self._values[(namespace, name)] = self._understand(name, said)
        checkpoint: Checkpoint = self._decode(record["checkpoint"])
        names = [*record["channels"], *record["same"]]
        checkpoint["channel_values"] = {name: self._values[(namespace, name)] for name in names}
        writes = [
            (task_id, [(channel, self._understand(channel, said)) for channel, said in pairs])
            for task_id, pairs in record["writes"]
        ]
        return _Imported(namespace, record["parent"], checkpoint, self._decode(record["metadata"]), writes)

    def _understand(self, name: str, said: dict[str, Any]) -> Any:
        if "dict" in said:
            return {key: self._understand(key, part) for key, part in said["dict"].items()}
        if "value" in said:
            return self._decode(said["value"])
        kept = self.lists.get(name, [])[: said["keep"]]
        items = [*kept, *map(self._decode, said["items"])]
        self.remember(name, items, said["keep"])
        return items

    def _decode(self, record: list[str]) -> Any:
        form, data = record
        return self._serde.loads_typed((form, base64.b64decode(data)))


@dataclass(frozen=True, slots=True)
class _Imported:
    namespace: str
    parent: str | None
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    writes: list[tuple[str, list[tuple[str, Any]]]]
