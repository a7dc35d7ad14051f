"""Mount `octopus serve` under `/serve` of the LangGraph server, for `http.app` of langgraph.json.

Under a prefix, because both servers have `/threads`, `/metrics` and `/mcp`; with the same keys, and with the
same threads as `octopus serve`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.server.application import create_app

_served = create_app()


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # FastAPI does not run the lifespan of a mounted application.
    async with _served.router.lifespan_context(_served):
        yield


app = FastAPI(title="Octopus Graph", lifespan=_lifespan, docs_url=None, redoc_url=None, openapi_url=None)
app.mount("/serve", _served)
