"""A checkpoint of a thread: the config that names it, and what was said by then."""

from __future__ import annotations

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple


def config_of(thread_id: str, namespace: str = "", checkpoint_id: str | None = None) -> RunnableConfig:
    """The config that points at one checkpoint; without an id, at the newest."""
    configurable = {"thread_id": thread_id, "checkpoint_ns": namespace}
    if checkpoint_id:
        configurable["checkpoint_id"] = checkpoint_id
    return {"configurable": configurable}


def messages_of(step: CheckpointTuple | None) -> list[BaseMessage]:
    """The messages of a step of a conversation; of none, none."""
    return list(step.checkpoint["channel_values"].get("messages", [])) if step else []
