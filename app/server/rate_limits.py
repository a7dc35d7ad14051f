"""How often a key may call: counted in Redis for all servers together, or else in this process."""

from __future__ import annotations

from typing import Any

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from app.server.settings import ServerSettings


class Rates:
    """Counts requests; close it at the end."""

    def __init__(self, settings: ServerSettings) -> None:
        self._rates = settings.rates
        self._pool: Any = None
        self._limiter = SlidingWindowCounterRateLimiter(self._storage(settings))

    async def exceeded(self, name: str) -> RateLimitItem | None:
        """Count a request of the key `name`; the limit that it broke, if any.

        Raises:
            StorageError: Redis cannot be reached.
        """
        for rate in self._rates:
            if not await self._limiter.hit(rate, name):
                return rate
        return None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.aclose()

    def _storage(self, settings: ServerSettings) -> Storage:
        place = settings.application.threads
        url = place.redis_url or ""
        if place.cluster or not url.startswith(("redis://", "rediss://")):
            return MemoryStorage()
        from redis.asyncio import ConnectionPool

        self._pool = ConnectionPool.from_url(url)
        return RedisStorage(
            f"async+{url}", wrap_exceptions=True, implementation="redispy", connection_pool=self._pool
        )
