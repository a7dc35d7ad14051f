"""List, show, export and import threads of any checkpointer.

An export is JSON lines, newest checkpoint first: a header, then per checkpoint its metadata, its writes and
the channels that differ from the checkpoint before it in the file. A list is said relative to the newer list,
so that a file grows with the conversation, not with its square.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint, CheckpointTuple

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


async def list_threads(saver: BaseCheckpointSaver[Any], limit: int | None = None) -> list[ThreadSummary]:
    """The threads of a saver, the one used last first."""
    counts: dict[str, int] = {}
    updated: dict[str, str] = {}
    async for found in saver.alist(None):
        thread_id = found.config["configurable"]["thread_id"]
        counts[thread_id] = counts.get(thread_id, 0) + 1
        updated[thread_id] = max(updated.get(thread_id, ""), found.checkpoint["ts"])
    summaries = [ThreadSummary(thread_id, count, updated[thread_id]) for thread_id, count in counts.items()]
    return sorted(summaries, key=lambda summary: summary.updated, reverse=True)[:limit]


async def export_thread(saver: BaseCheckpointSaver[Any], thread_id: str) -> AsyncIterator[str]:
    """Lines of a file; raises KeyError for a thread that does not exist."""
    writer = _Writer(saver)
    empty = True
    async for found in saver.alist({"configurable": {"thread_id": thread_id}}):
        if empty:
            yield json.dumps({"format": _FORMAT, "version": _VERSION, "thread_id": thread_id})
            empty = False
        yield json.dumps(writer.record(found))
    if empty:
        raise KeyError(f"There is no thread {thread_id!r}.")


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
    checkpoints = [(record, reader.checkpoint(record)) for record in records[1:]]
    versions: dict[_Channel, Any] = {}
    for record, checkpoint in reversed(checkpoints):
        config = _config(target, record["ns"], record["parent"])
        changed = {}
        for name, version in checkpoint["channel_versions"].items():
            if versions.get((record["ns"], name)) != version:
                changed[name] = versions[(record["ns"], name)] = version
        stored = await saver.aput(config, checkpoint, reader.value(record["metadata"]), changed)
        for position, (task_id, writes) in enumerate(record["writes"]):
            pairs = [(channel, reader.value(value)) for channel, value in writes]
            # The path is only used for ordering: the position keeps the order of the original.
            await saver.aput_writes(stored, pairs, task_id, f"{position:010d}")
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


class _Values:
    """Values as [form, base64] of the saver's serializer."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        self._serde = saver.serde

    def record_of(self, value: Any) -> list[str]:
        form, data = self._serde.dumps_typed(value)
        return [form, base64.b64encode(data).decode()]

    def value(self, record: list[str]) -> Any:
        form, data = record
        return self._serde.loads_typed((form, base64.b64decode(data)))


class _Writer(_Values):
    """Checkpoints to records, newest first."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(saver)
        self._versions: dict[_Channel, Any] = {}
        self._lists: dict[_Channel, list[list[str]]] = {}

    def record(self, found: CheckpointTuple) -> dict[str, Any]:
        configurable = found.config["configurable"]
        namespace = configurable.get("checkpoint_ns", "")
        checkpoint = found.checkpoint
        parent = found.parent_config["configurable"]["checkpoint_id"] if found.parent_config else None
        channels = {}
        for name, value in checkpoint["channel_values"].items():
            version = checkpoint["channel_versions"].get(name)
            if version is None or self._versions.get((namespace, name)) != version:
                channels[name] = self._channel((namespace, name), value)
            self._versions[(namespace, name)] = version
        rest = {key: value for key, value in checkpoint.items() if key != "channel_values"}
        return {
            "ns": namespace,
            "parent": parent,
            "checkpoint": self.record_of(rest),
            "channels": channels,
            "same": [name for name in checkpoint["channel_values"] if name not in channels],
            "metadata": self.record_of(found.metadata),
            "writes": self._writes(found),
        }

    def _channel(self, place: _Channel, value: Any) -> dict[str, Any]:
        if type(value) is not list:
            return {"value": self.record_of(value)}
        items = [self.record_of(item) for item in value]
        newer = self._lists.get(place, [])
        keep = next((i for i, pair in enumerate(zip(newer, items, strict=False)) if pair[0] != pair[1]), None)
        keep = min(len(newer), len(items)) if keep is None else keep
        self._lists[place] = items
        return {"keep": keep, "items": items[keep:]}

    def _writes(self, found: CheckpointTuple) -> list[list[Any]]:
        """Consecutive writes of one task together."""
        groups: list[list[Any]] = []
        for task_id, channel, value in found.pending_writes or []:
            if not groups or groups[-1][0] != task_id:
                groups.append([task_id, []])
            groups[-1][1].append([channel, self.record_of(value)])
        return groups


class _Reader(_Values):
    """Records to checkpoints, newest first."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(saver)
        self._newer: dict[_Channel, Any] = {}
        self._lists: dict[_Channel, list[Any]] = {}

    def checkpoint(self, record: dict[str, Any]) -> Checkpoint:
        namespace = record["ns"]
        for name, channel in record["channels"].items():
            place = (namespace, name)
            if "value" in channel:
                self._newer[place] = self.value(channel["value"])
            else:
                kept = self._lists.get(place, [])[: channel["keep"]]
                self._lists[place] = kept + [self.value(item) for item in channel["items"]]
                self._newer[place] = self._lists[place]
        names = [*record["channels"], *record["same"]]
        checkpoint: Checkpoint = self.value(record["checkpoint"])
        checkpoint["channel_values"] = {name: self._newer[(namespace, name)] for name in names}
        return checkpoint
