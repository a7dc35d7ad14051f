"""Conversations that survive: a LangGraph checkpointer, store and cache on plain Redis."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.persistence.cache import RedisCache
    from app.persistence.description import Description, describe
    from app.persistence.redis_saver import RedisSaver
    from app.persistence.store import RedisStore

__all__ = ["Description", "RedisCache", "RedisSaver", "RedisStore", "describe"]

_HOMES = {
    "RedisSaver": "redis_saver",
    "RedisStore": "store",
    "RedisCache": "cache",
    "Description": "description",
    "describe": "description",
}


def __getattr__(name: str) -> Any:
    # redis is an extra, and nobody who does not use it should pay for its import.
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
