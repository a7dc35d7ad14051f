"""Write and read the lines of an exported thread.

A line has the metadata and the writes of a checkpoint, and the channels that differ from the line before. A
list is written as its difference from the list before it, so that a file grows with the conversation, not
with its square.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
)
from langgraph.checkpoint.serde.types import _DeltaSnapshot

Channel = tuple[str, str]
"""Namespace and channel."""


@dataclass(frozen=True, slots=True)
class ImportedCheckpoint:
    """Hold one checkpoint as it was: its namespace, its parent's id, and its writes by task."""

    namespace: str
    parent: str | None
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    writes: list[tuple[str, list[tuple[str, Any]]]]


class _Lists:
    """Keep what the writer and the reader of a file both know: the last list of each channel name."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        self._serde = saver.serde
        self.lists: dict[str, list[Any]] = {}

    def remember(self, name: str, items: list[Any], keep: int) -> None:
        """Let later lists build on this one, unless it is short and shares nothing with the one before."""
        if keep or len(items) >= len(self.lists.get(name, [])):
            self.lists[name] = items


class ExportWriter(_Lists):
    """Turn checkpoints into records, newest first."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(saver)
        self._versions: dict[Channel, Any] = {}

    def record(self, found: CheckpointTuple) -> dict[str, Any]:
        """Return the JSON values of one checkpoint."""
        checkpoint = found.checkpoint
        namespace = found.config["configurable"].get("checkpoint_ns", "")
        changed = {}
        for name, value in checkpoint["channel_values"].items():
            version = checkpoint["channel_versions"].get(name)
            if version is None or self._versions.get((namespace, name)) != version:
                changed[name] = self._value(name, value)
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
        """Group consecutive writes of one task."""
        groups: list[list[Any]] = []
        for task_id, channel, value in writes:
            if not groups or groups[-1][0] != task_id:
                groups.append([task_id, []])
            groups[-1][1].append([channel, self._value(channel, value)])
        return groups

    def _value(self, name: str, value: Any) -> dict[str, Any]:
        if isinstance(value, _DeltaSnapshot) and type(value.value) is list:
            return self._list(name, value.value) | {"snapshot": True}
        if type(value) is list:
            return self._list(name, value)
        texts = type(value) is dict and all(type(key) is str for key in value)
        if texts and any(type(part) is list for part in value.values()):
            return {"dict": {key: self._value(key, part) for key, part in value.items()}}
        return {"value": self._encode(value)}

    def _list(self, name: str, value: list[Any]) -> dict[str, Any]:
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


class ExportReader(_Lists):
    """Turn records into checkpoints, in the order of the file."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(saver)
        self._values: dict[Channel, Any] = {}

    def read(self, record: dict[str, Any]) -> ImportedCheckpoint:
        """Undo `record`; raises KeyError, TypeError or ValueError for what no writer wrote."""
        namespace = record["ns"]
        for name, part in record["channels"].items():
            self._values[(namespace, name)] = self._value(name, part)
        checkpoint: Checkpoint = self._decode(record["checkpoint"])
        names = [*record["channels"], *record["same"]]
        checkpoint["channel_values"] = {name: self._values[(namespace, name)] for name in names}
        writes = [
            (task_id, [(channel, self._value(channel, part)) for channel, part in pairs])
            for task_id, pairs in record["writes"]
        ]
        metadata = self._decode(record["metadata"])
        return ImportedCheckpoint(namespace, record["parent"], checkpoint, metadata, writes)

    def _value(self, name: str, part: dict[str, Any]) -> Any:
        if "dict" in part:
            return {key: self._value(key, inner) for key, inner in part["dict"].items()}
        if "value" in part:
            return self._decode(part["value"])
        kept = self.lists.get(name, [])[: part["keep"]]
        items = [*kept, *map(self._decode, part["items"])]
        self.remember(name, items, part["keep"])
        return _DeltaSnapshot(items) if part.get("snapshot") else items

    def _decode(self, record: list[str]) -> Any:
        form, data = record
        return self._serde.loads_typed((form, base64.b64decode(data)))
