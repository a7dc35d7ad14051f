"""Build the server, `octopus serve`; the factory for ASGI servers is `app.server.application:create_app`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from math import ceil
from types import FrameType

import uvicorn
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from sse_starlette.sse import AppStatus
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from app.persistence.location import Place
from app.runs.memory import open_saver, open_store
from app.runs.runner import Runner
from app.runs.traces import TraceLog
from app.server import (
    catalogue,
    chat_completions,
    errors,
    feedback,
    health,
    page,
    responses,
    threads,
)
from app.server.dependencies import Service
from app.server.middleware import Gate, Rates
from app.server.models import Saver, open_graphs
from app.server.settings import ServerSettings
from app.server.telemetry import Telemetry

_log = logging.getLogger("octopus.server")
_KEEP_ALIVE = (
    80  # seconds; clients and proxies keep a connection for 75 at most, and must not meet a closed one
)
_AFTER_GRACE = 5  # seconds for what the last clients are told
_LANGSERVE, _MCP = (find_spec(name) is not None for name in ("langserve", "mcp"))


def create_app(settings: ServerSettings | None = None) -> FastAPI:
    """Build the application; nothing is opened before it starts, and it keeps only what is open.

    Args:
        settings: None reads the environment.

    Raises:
        InputError: a variable of the environment has a wrong value.
    """
    settings = settings or ServerSettings.read()
    telemetry, rates = Telemetry(), Rates(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(rates.aclose)
            served = app.state.service = await _open(stack, settings, telemetry)
            if _MCP:
                from app.server import mcp as mcp_api

                await stack.enter_async_context(mcp_api.serving(app, served))
            yield

    app = FastAPI(
        title="Octopus Graph",
        description="A graph of small language models, routed by functional tokens.",
        lifespan=lifespan,
        middleware=_middleware(settings, rates, telemetry),
        max_body_size=settings.body_bytes,
        # So that the documentation asks for a key; the gate is what checks it.
        dependencies=[Depends(HTTPBearer(auto_error=False))] if settings.keys else [],
    )
    errors.install(app)
    for module in (catalogue, chat_completions, responses, threads, feedback, health):
        app.include_router(module.router)
    _mount_extras(app)
    page.install(app)
    return app


def serve(settings: ServerSettings, host: str, port: int) -> None:
    """Serve until a signal says to end: then runs have the grace period, and the process ends with code 0.

    A second SIGINT ends it at once.
    """
    # Its own way to end streams cuts them off at the signal, in the middle of a word.
    AppStatus.enable_automatic_graceful_drain = False
    config = uvicorn.Config(
        create_app(settings),
        host=host,
        port=port,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=ceil(settings.grace + _AFTER_GRACE),
    )
    _Server(config, settings.grace).run()


class _Server(uvicorn.Server):
    """End in bounded time, and let nobody's turn be lost."""

    def __init__(self, config: uvicorn.Config, grace: float) -> None:
        super().__init__(config)
        self._grace = grace

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, wait for runs, stop those that are left, and close what was opened."""
        limit = threading.Timer(self._grace + 2 * _AFTER_GRACE, os._exit, [0])  # of threads that hang
        limit.daemon = True
        limit.start()
        runner: Runner = self.config.app.state.service.runner  # type: ignore[union-attr]
        stopping = asyncio.get_running_loop().call_later(self._grace, runner.close)
        await super().shutdown(sockets)
        stopping.cancel()
        self._captured_signals.clear()  # else the process would end by the signal, as if it had failed

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal; the second SIGINT ends the process."""
        if self.should_exit and sig == signal.SIGINT:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        super().handle_exit(sig, frame)


def _mount_extras(app: FastAPI) -> None:
    """Add the protocols of extras that are installed."""
    if _LANGSERVE:
        from app.server import langserve as langserve_api

        langserve_api.mount(app)
    if _MCP:
        from app.server import mcp as mcp_api

        mcp_api.mount(app)


async def _open(stack: AsyncExitStack, settings: ServerSettings, telemetry: Telemetry) -> Service:
    saver = await stack.enter_async_context(open_saver(settings.application))
    store = await stack.enter_async_context(open_store(settings.application))
    await _warn_without_threads(saver, settings.application.threads)
    graphs = await stack.enter_async_context(open_graphs(settings.graphs, settings.application, saver, store))
    traces = settings.application.traces
    runner = Runner(settings.timeout, TraceLog(traces) if traces else None, telemetry.follow)
    stack.push_async_callback(runner.aclose)
    return Service(settings, graphs, runner, saver, store, telemetry, int(time.time()))


async def _warn_without_threads(saver: Saver, place: Place) -> None:
    """Warn if threads cannot be kept; their storage may come later, so the server starts."""
    if (found := await health.threads_answer(saver)) == "ok":
        return
    where = str(place.sqlite)
    if place.redis_url:
        from app.persistence.redis.client import safe_url

        where = safe_url(place.redis_url)
    _log.warning(
        "Threads are kept in %s, which does not answer: it %s. Requests fail until then.", where, found
    )


def _middleware(settings: ServerSettings, rates: Rates, telemetry: Telemetry) -> list[Middleware]:
    """List the middleware, outermost first."""
    found = [Middleware(Gate, settings=settings, rates=rates, telemetry=telemetry)]
    if settings.origins:
        found.insert(
            0,
            Middleware(
                CORSMiddleware,
                allow_origins=settings.origins,
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=["Authorization", "Content-Type", "X-Octopus-Thread"],
            ),
        )
    if not settings.keys:
        # Else any web page could reach a server without keys under a name that it points to this machine.
        hosts = ["localhost", "127.0.0.1", "[::1]"]
        found.insert(0, Middleware(TrustedHostMiddleware, allowed_hosts=hosts))
    return found
