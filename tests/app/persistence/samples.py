"""Checkpoints to store."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint
from langgraph.checkpoint.base.id import uuid6

Saver = BaseCheckpointSaver[Any]


def config(thread_id: str = "thread", namespace: str | None = "", checkpoint_id: str = "") -> RunnableConfig:
    """A config; no namespace for None, no checkpoint id for ''."""
    configurable = {"thread_id": thread_id}
    if namespace is not None:
        configurable["checkpoint_ns"] = namespace
    if checkpoint_id:
        configurable["checkpoint_id"] = checkpoint_id
    return {"configurable": configurable}


def checkpoint(values: dict[str, Any], versions: dict[str, Any] | None = None, id: str = "") -> Checkpoint:
    """A checkpoint of these channels, all at version 1 unless said otherwise."""
    return Checkpoint(
        v=4,
        id=id or str(uuid6(clock_seq=1)),
        ts="2026-01-01T00:00:00+00:00",
        channel_values=values,
        channel_versions=dict.fromkeys(values, 1) if versions is None else versions,
        versions_seen={},
        updated_channels=None,
    )


def put(
    saver: Saver,
    values: dict[str, Any],
    where: RunnableConfig | None = None,
    *,
    versions: dict[str, Any] | None = None,
    changed: dict[str, Any] | None = None,
    id: str = "",
    **metadata: Any,
) -> RunnableConfig:
    """Store a checkpoint after the one of `where`; returns its config."""
    made = checkpoint(values, versions, id)
    new = made["channel_versions"] if changed is None else changed
    return saver.put(where or config(), made, {"source": "loop", "step": 0, **metadata}, new)  # type: ignore[typeddict-item]


def values(saver: Saver, where: RunnableConfig) -> dict[str, Any]:
    """Channel values of a checkpoint that must exist."""
    found = saver.get_tuple(where)
    assert found is not None, f"no checkpoint at {where}"
    return found.checkpoint["channel_values"]


def ids(saver: Saver, where: RunnableConfig | None, **options: Any) -> list[str]:
    """Ids of a listing."""
    return [str(found.config["configurable"]["checkpoint_id"]) for found in saver.list(where, **options)]
