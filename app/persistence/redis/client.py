"""Connect to a server or a cluster: one blocking client, and one asyncio client per event loop."""

from __future__ import annotations

import asyncio
import re
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import redis
import redis.asyncio
from redis import exceptions as failures
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.connection import parse_url
from redis.retry import Retry

from app.persistence.errors import (
    FullError,
    LostDataError,
    PersistenceError,
    ThreadLostError,
    UnavailableError,
)
from app.persistence.redis.operations import Call, Operation

T = TypeVar("T")

_CONNECTIONS = 64
_FULL = ("OOM", "MISCONF", "NOREPLICAS")
_FAILURES = (failures.RedisError, failures.RedisClusterException, OSError)
_BUSY = (failures.ConnectionError, failures.TimeoutError, failures.ClusterDownError, OSError)


class RedisClient:
    """Run operations against one Redis.

    Args:
        url: `redis://[user:password@]host:port/db`, `rediss://…` or `unix://path`.
        cluster: whether the url is a node of a Redis Cluster.
        timeout: seconds to wait for an answer.
        retries: how often to try again, after 0.05 to 1 s each, when a connection breaks.

    Raises:
        ValueError: the url has another form.
    """

    def __init__(self, url: str, *, cluster: bool = False, timeout: float = 30.0, retries: int = 8) -> None:
        _require_redis(url)
        self.url = url
        self.cluster = cluster
        self._timeout = timeout
        self._retries = retries
        self._blocking: Any = None
        self._connecting = threading.Lock()
        self._async: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = weakref.WeakKeyDictionary()

    def run(self, operation: Operation[T]) -> T:
        """Drive an operation with the blocking client."""
        reply: Any = None
        try:
            while True:
                reply = self._execute(operation.send(reply))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def arun(self, operation: Operation[T]) -> T:
        """Drive an operation with the running loop's client."""
        reply: Any = None
        try:
            while True:
                reply = await self._aexecute(operation.send(reply))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def close(self) -> None:
        """Close the blocking client; it opens again when used."""
        if self._blocking is not None:
            self._blocking.close()
            self._blocking = None

    async def aclose(self) -> None:
        """Close the running loop's client; it opens again when used."""
        client = self._async.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _execute(self, call: Call) -> Any:
        with self._explaining():
            if self._blocking is None:
                with self._connecting:
                    self._blocking = self._blocking or self._connect(redis, Retry)
            try:
                return self._blocking.execute_command(*call.by_sha())
            except failures.NoScriptError:
                return self._blocking.execute_command(*call.by_text())

    async def _aexecute(self, call: Call) -> Any:
        loop = asyncio.get_running_loop()
        client = self._async.get(loop)
        with self._explaining():
            if client is None:
                client = self._async[loop] = self._connect(redis.asyncio, AsyncRetry)
            if self.cluster:
                # Before it knows the slots, redis-py sends concurrent commands to random nodes, and then
                # closes its connections while others use them.
                await client.initialize()
            try:
                return await client.execute_command(*call.by_sha())
            except failures.NoScriptError:
                return await client.execute_command(*call.by_text())

    def _connect(self, library: Any, retry: Any) -> Any:
        options = {
            "protocol": 2,
            "socket_timeout": self._timeout,
            "socket_connect_timeout": min(self._timeout, 5.0),
            "retry": retry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), self._retries, _BUSY),
        }
        if self.cluster:
            return library.RedisCluster.from_url(self.url, **options)
        pool = {"max_connections": _CONNECTIONS, "timeout": self._timeout}
        return library.Redis.from_pool(library.BlockingConnectionPool.from_url(self.url, **options, **pool))

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> PersistenceError:
        """Translate errors of redis-py; an unreachable server never reads as an empty thread."""
        if isinstance(error, failures.AuthenticationError):
            return PersistenceError(
                f"Redis at {safe_url(self.url)} refused the credentials: {str(error).rstrip('.')}.",
                hint="Check the url.",
            )
        if isinstance(error, failures.ResponseError):
            return self._refusal(error)
        return UnavailableError(
            f"Redis at {safe_url(self.url)} cannot be reached: {str(error).rstrip('.')}.",
            hint="Is it running, and is the url right?",
            retryable=True,
        )

    def _refusal(self, error: Exception) -> PersistenceError:
        text = str(error).rstrip(".")
        if "LOST:" in text:
            what = text.split("LOST:", 1)[1].split(" script:")[0].strip()
            return LostDataError(
                f"Redis lost {what}.",
                hint="It was evicted or deleted. Use maxmemory-policy noeviction; delete this thread.",
            )
        if "UNLOCKED:" in text:
            return ThreadLostError()
        if isinstance(error, failures.OutOfMemoryError) or any(word in text for word in _FULL):
            return FullError(
                f"Redis at {safe_url(self.url)} refused a write: {text}.",
                hint="Nothing was written. Free memory or disk, then try again.",
                retryable=True,
            )
        if isinstance(error, failures.ClusterDownError):
            return UnavailableError(f"The cluster at {safe_url(self.url)} is down: {text}.", retryable=True)
        return PersistenceError(f"Redis at {safe_url(self.url)} refused a command: {text}.")


class ClosesClient:
    """Close connections at the end of a `with` or an `async with`; the object works outside of one too."""

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


def _require_redis(url: str) -> None:
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError(f"{safe_url(url)!r} is no Redis url; it starts with redis://, rediss:// or unix://.")
    try:
        parse_url(url)  # type: ignore[no-untyped-call]
    except ValueError:  # its text may hold a part of the password
        raise ValueError(
            f"{safe_url(url)!r} is no Redis url: the port or an option is wrong, or user and password have "
            "characters that must be percent-encoded."
        ) from None


def safe_url(url: str) -> str:
    """Return the url without its password."""
    shown = re.sub(r"^(\w+://[^:/@]*):.*@", r"\1:***@", url, flags=re.DOTALL)
    return re.sub(r"([?&]password=)[^&#]*", r"\1***", shown)
