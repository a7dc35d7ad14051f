"""What is closed at the end of a `with` or an `async with`."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from app.persistence.redis.client import RedisClient


class ClosesClient:
    """A sync and async context manager around an object with connections, which works outside of one too."""

    client: RedisClient

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()
        self.client.close()
