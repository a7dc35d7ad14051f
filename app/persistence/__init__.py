"""Conversations that survive: a LangGraph checkpointer, store and cache on plain Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.persistence.redis_saver import RedisSaver

__all__ = ["RedisSaver"]


def __getattr__(name: str) -> Any:
    # Redis is an extra, and nobody without it should pay for its import.
    if name == "RedisSaver":
        from app.persistence.redis_saver import RedisSaver

        return RedisSaver
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
