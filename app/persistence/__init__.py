"""Keep conversations: a LangGraph checkpointer, store and cache on plain Redis, and one in an SQLite file.

    from app.persistence import RedisSaver

    with RedisSaver.from_url("redis://localhost:6379", ttl=7 * 86400) as saver:
        graph = builder.compile(checkpointer=saver)      # invoke and ainvoke

Redis 6 or later, Valkey, managed Redis and Redis Cluster; no modules. The package imports nothing else of
this project. What to know:

- A thread is two keys that expire together. If Redis evicts one of them, reading raises `LostDataError`; if
  it evicts both, the thread looks expired. Set maxmemory-policy noeviction; `describe` warns.
- What Redis acknowledges is as durable as its own settings: appendfsync always loses nothing, everysec up to
  a second.
- Types outside LangGraph's safe list are refused, when written and when read, until `allow=` names them.
- With an encryption_key, the ids of threads, namespaces and checkpoints stay readable, and nothing else.
- `locks.locked(saver, thread)` lets one run at a time have a thread, on any number of servers.
- `delete_for_runs` finds threads through a register that Redis could evict too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.persistence.redis.cache import RedisCache
    from app.persistence.redis.description import Description, describe
    from app.persistence.redis.saver import RedisSaver
    from app.persistence.redis.store import RedisStore
    from app.persistence.sqlite import SqliteSaver

__all__ = ["Description", "RedisCache", "RedisSaver", "RedisStore", "SqliteSaver", "describe"]

_HOMES = {
    "RedisSaver": "redis.saver",
    "RedisStore": "redis.store",
    "RedisCache": "redis.cache",
    "Description": "redis.description",
    "describe": "redis.description",
    "SqliteSaver": "sqlite",
}


def __getattr__(name: str) -> Any:
    # redis is an extra, and nobody who does not use it should pay for its import.
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
