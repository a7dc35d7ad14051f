"""Name a checkpoint, and read the messages that had been said by then.

With a `DeltaChannel` only some checkpoints hold their messages. Those of the others are replayed from what
the checkpoints before them wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple, PendingWrite
from langgraph.checkpoint.base import id as ids
from langgraph.checkpoint.base.id import uuid6
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.graph.message import _messages_delta_reducer

_MESSAGES = "messages"
_FAR_AHEAD = 365 * 86400 * 10**7  # in 100 ns: no clock is so wrong


def config_of(thread_id: str, namespace: str = "", checkpoint_id: str | None = None) -> RunnableConfig:
    """Return the config that points at one checkpoint; without an id, at the newest."""
    configurable = {"thread_id": thread_id, "checkpoint_ns": namespace}
    if checkpoint_id:
        configurable["checkpoint_id"] = checkpoint_id
    return {"configurable": configurable}


def keep_ahead(checkpoint_id: str) -> None:
    """Let the ids that this process makes come after this one, whatever its clock says.

    The newest checkpoint of a thread is that with the greatest id, and an id begins with the time: of a clock
    that goes back, or of another server whose clock is behind, what was written last would not be found.
    """
    try:
        found = UUID(checkpoint_id)
    except ValueError:  # no id of LangGraph's
        return
    seen = (found.int >> 80 << 12) | (found.int >> 64 & 0xFFF)
    if found.version == 6 and seen < uuid6(0, 0).time + _FAR_AHEAD:
        state = vars(ids)  # of its `uuid6`
        state["_last_v6_timestamp"] = max(seen, state.get("_last_v6_timestamp") or 0)


async def messages_of(saver: BaseCheckpointSaver[Any], step: CheckpointTuple | None) -> list[AnyMessage]:
    """Return the messages at a checkpoint of `saver`; for None, none."""
    if step is None or _MESSAGES not in step.checkpoint["channel_versions"]:
        return []
    if (stored := _stored(step)) is not None:
        return stored
    histories = await saver.aget_delta_channel_history(config=step.config, channels=[_MESSAGES])
    history = histories[_MESSAGES]
    return _replay(_plain(history.get("seed", [])), history["writes"])


async def messages_by_checkpoint(
    saver: BaseCheckpointSaver[Any], steps: Sequence[CheckpointTuple]
) -> dict[str, list[AnyMessage]]:
    """Return the messages at each checkpoint of a listing (newest first), by its id.

    Replays each write once, where `messages_of` would do so anew for every checkpoint.
    """
    found: dict[str, list[AnyMessage]] = {}
    listed = {step.checkpoint["id"]: step for step in steps}
    for step in reversed(steps):
        parent = step.parent_config["configurable"]["checkpoint_id"] if step.parent_config else ""
        if _stored(step) is None and parent in found:
            writes = [one for one in listed[parent].pending_writes or [] if one[1] == _MESSAGES]
            messages = _replay(found[parent], writes)
        else:
            messages = await messages_of(saver, step)
        found[step.checkpoint["id"]] = messages
    return found


def _stored(step: CheckpointTuple) -> list[AnyMessage] | None:
    value = step.checkpoint["channel_values"].get(_MESSAGES)
    return None if value is None else _plain(value)


def _plain(value: Any) -> list[AnyMessage]:
    return list(value.value if isinstance(value, _DeltaSnapshot) else value)


def _replay(messages: list[AnyMessage], writes: Sequence[PendingWrite]) -> list[AnyMessage]:
    channel: DeltaChannel[list[AnyMessage]] = DeltaChannel(_messages_delta_reducer, list)  # type: ignore[arg-type]
    restored = channel.from_checkpoint(messages)
    restored.replay_writes(writes)
    return list(restored.get())
