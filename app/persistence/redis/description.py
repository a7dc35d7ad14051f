"""Say what kind of Redis a url leads to, and whether conversations are safe in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from app.persistence.errors import UnavailableError
from app.persistence.redis.client import RedisClient, safe_url


@dataclass(frozen=True, slots=True)
class Description:
    """Describe one server.

    Attributes:
        url: without the password.
        server: "Redis" or "Valkey".
        version: as the server reports it.
        cluster: whether it is a node of a cluster.
        aof: the append-only file: "off", or its fsync policy ("always", "everysec", "no", "on" if unknown).
        rdb: the snapshot rule, "" for none, None if the server does not say.
        maxmemory: bytes, 0 for no limit.
        eviction: the maxmemory-policy.
        warnings: what may lose history, one sentence each.
    """

    url: str
    server: str
    version: str
    cluster: bool
    aof: str
    rdb: str | None
    maxmemory: int
    eviction: str
    warnings: tuple[str, ...]


def describe(url: str) -> Description:
    """Ask a server about itself; raises `UnavailableError`, or ValueError for another kind of url."""
    RedisClient(url)  # checks the url
    try:
        with Redis.from_url(url, protocol=2, socket_timeout=5, socket_connect_timeout=5) as client:
            info: dict[str, Any] = client.info()
            config = _config(client)
    except (RedisError, OSError) as error:
        raise UnavailableError(
            f"Redis at {safe_url(url)} cannot be reached: {str(error).rstrip('.')}.", retryable=True
        ) from error
    aof = (config.get("appendfsync") or "on") if int(info.get("aof_enabled", 0)) else "off"
    rdb = config.get("save")
    eviction = str(info.get("maxmemory_policy", "unknown"))
    valkey = info.get("valkey_version")
    version = str(valkey or info["redis_version"])
    return Description(
        url=safe_url(url),
        server="Valkey" if valkey else "Redis",
        version=version,
        cluster=bool(int(info.get("cluster_enabled", 0))),
        aof=aof,
        rdb=rdb,
        maxmemory=int(info.get("maxmemory", 0)),
        eviction=eviction,
        warnings=tuple(_warnings(version, aof, rdb, eviction)),
    )


def _config(client: Redis) -> dict[str, str]:
    """Return the two settings that INFO lacks; managed servers may refuse CONFIG."""
    try:
        found: dict[str, str] = {}
        for name in ("appendfsync", "save"):
            found |= client.config_get(name)  # type: ignore[arg-type]
        return found
    except ResponseError:
        return {}


def _warnings(version: str, aof: str, rdb: str | None, eviction: str) -> list[str]:
    found = []
    if int(version.split(".")[0]) < 6:
        found.append(f"Version {version} is older than 6: the checkpointer will not work.")
    if aof == "off" and rdb == "":
        found.append("It persists nothing: a restart loses every conversation. Turn appendonly on.")
    elif aof == "off":
        found.append("It has snapshots only: a crash loses what came after the last one. Turn appendonly on.")
    if eviction.startswith("allkeys"):
        found.append(f"It evicts any key when memory is full ({eviction}): history may be lost.")
    elif eviction.startswith("volatile"):
        found.append(
            f"It evicts expiring keys when memory is full ({eviction}): with a ttl, history may be lost."
        )
    return found
