"""Guard all routes: who calls, how often, how much at once; and answer unforeseen errors."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import Request
from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from app.runs.runner import no_longer_than_this
from app.server.api_keys import LOCAL, Caller, Scope, key_hash
from app.server.errors import REQUEST, ApiError, as_api_error
from app.server.settings import ServerSettings, is_loopback
from app.server.telemetry import Telemetry

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""For load balancers, which have no key; nothing private is said there."""

PAGE_PATHS = ("/", "/web")
"""The page and the folder of its files, the same for everybody: the page asks for the key."""


class Rates:
    """Count requests, in Redis for all servers together, or else in this process; close it at the end."""

    def __init__(self, settings: ServerSettings) -> None:
        self._rates = settings.rates
        self._pool: Any = None
        self._limiter = SlidingWindowCounterRateLimiter(self._storage(settings))

    async def exceeded(self, name: str) -> RateLimitItem | None:
        """Count a request of the key `name`; return the limit that it broke, if any.

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


class Gate:
    """Let requests in; as middleware, not a dependency, so that a stream holds its place to its last byte."""

    def __init__(self, app: ASGIApp, settings: ServerSettings, rates: Rates, telemetry: Telemetry) -> None:
        self._app = app
        self._settings = settings
        self._telemetry = telemetry
        self._rates = rates
        self._active: Counter[str] = Counter()

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Let a request through, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, name = False, uuid.uuid4().hex
        REQUEST.set(name)

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["x-request-id"] = name
            await send(message)

        try:
            if _open(scope["path"].removeprefix(scope.get("root_path", ""))):
                await self._app(scope, receive, sending)
                return
            caller = self._caller(scope)
            await self._count(caller)
            with self._place(caller):
                scope.setdefault("state", {})["caller"] = caller
                async with no_longer_than_this():
                    await self._app(scope, receive, sending)
        except Exception as error:
            response = as_api_error(error).response
            if not started:
                await response(scope, receive, sending)
            # Else the client sees that the body is not whole. The error goes no further: its text may quote
            # the conversation, and uvicorn would log it.

    def _caller(self, scope: Connection) -> Caller:
        if not self._settings.keys:
            if scope.get("client") and not is_loopback(scope["client"][0]):
                raise self._refused(
                    "key", ApiError(401, "This server has no API keys: it serves its own machine.")
                )
            return LOCAL
        kind, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        caller = self._settings.keys.get(key_hash(key.strip())) if kind.lower() == "bearer" else None
        if caller is None:
            raise self._refused(
                "key", ApiError(401, "The API key is missing or wrong.", code="invalid_api_key")
            )
        return caller

    async def _count(self, caller: Caller) -> None:
        if rate := await self._rates.exceeded(caller.name):
            text = f"More than {rate.amount} requests in {rate.get_expiry()} seconds."
            error = ApiError(429, text, code="rate_limit_exceeded", retry_after=rate.get_expiry())
            raise self._refused("rate", error)

    @contextmanager
    def _place(self, caller: Caller) -> Iterator[None]:
        if self._active[caller.name] >= self._settings.concurrency:
            text = f"More than {self._settings.concurrency} requests at once."
            error = ApiError(429, text, code="concurrency_limit_exceeded", retry_after=1)
            raise self._refused("concurrency", error)
        self._active[caller.name] += 1
        try:
            yield
        finally:
            self._active[caller.name] -= 1

    def _refused(self, why: str, error: ApiError) -> ApiError:
        self._telemetry.refusals.labels(why).inc()
        return error


def _open(path: str) -> bool:
    page, files = PAGE_PATHS
    return path in OPEN_PATHS or path == page or path.startswith(f"{files}/")


def caller_with(scope: Scope) -> Callable[[Request], Awaitable[Caller]]:
    """Return a FastAPI dependency: the caller, who must have `scope`."""

    async def check(request: Request) -> Caller:
        return allowed(request.state.caller, scope)

    return check


def allowed(caller: Caller, scope: Scope) -> Caller:
    """Return the caller; raise ApiError 403 if the key lacks `scope`."""
    if scope not in caller.scopes:
        raise ApiError(403, f"This API key lacks the scope {scope!r}.", code="insufficient_scope")
    return caller
