"""The lines of an exported thread.

Per checkpoint its metadata, its writes and the channels that differ from the checkpoint before it in the
file. A list is said relative to the list before it, so that a file grows with the conversation, not with its
square.
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

Channel = tuple[str, str]
"""Namespace and channel."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One checkpoint as it was: its namespace, its parent's id, and its writes by task."""

    namespace: str
    parent: str | None
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    writes: list[tuple[str, list[tuple[str, Any]]]]


class _Speech:
    """What the writer and the reader of a file both remember: the last list of each channel name."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        self._serde = saver.serde
        self.lists: dict[str, list[Any]] = {}

    def remember(self, name: str, items: list[Any], keep: int) -> None:
        """Later lists are said relative to this one, unless it is short and has nothing in common."""
        if keep or len(items) >= len(self.lists.get(name, [])):
            self.lists[name] = items


class Writer(_Speech):
    """Checkpoints to records, newest first."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(saver)
        self._versions: dict[Channel, Any] = {}

    def record(self, found: CheckpointTuple) -> dict[str, Any]:
        """JSON values of one checkpoint."""
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


class Reader(_Speech):
    """Records to checkpoints, metadata and writes, in the order of the file."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(saver)
        self._values: dict[Channel, Any] = {}

    def read(self, record: dict[str, Any]) -> Imported:
        """Undo `record`; raises KeyError, TypeError or ValueError for what no writer wrote."""
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
        return Imported(namespace, record["parent"], checkpoint, self._decode(record["metadata"]), writes)

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


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_list(value: Any) -> bool:
    return type(value) is list
