"""Tell load balancers of health, and Prometheus of metrics."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from langchain_core.messages import HumanMessage

from agents.workers.kinds import parse_reference
from app.persistence.checkpoints import config_of
from app.server.dependencies import Operator, Served, Service
from app.server.models import Model, Saver

router = APIRouter(tags=["Operations"])
_FRESH = 5.0  # seconds that a finding is used again, so that probes cost nothing


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(served: Served) -> Response:
    """Say whether questions can be answered: whether threads can be kept, the Octopus routes, workers answer.

    A worker whose model does not answer is named, but the server stays ready for the others.
    """
    if time.monotonic() - served.readiness.at > _FRESH:
        served.readiness.found = await _check(served)
        served.readiness.at = time.monotonic()
    found = served.readiness.found
    ready = found["threads"] == "ok" and set(found["octopus"].values()) <= {"ok"}
    return JSONResponse({"status": "ready" if ready else "not ready", **found}, 200 if ready else 503)


@router.get("/metrics")
async def metrics(served: Served, caller: Operator) -> Response:
    """Return counts and times in Prometheus's text format."""
    return Response(served.telemetry.text, media_type="text/plain; version=0.0.4")


async def _check(served: Service) -> dict[str, Any]:
    graphs = [model for model in served.graphs if model.worker is None]
    references = {served.settings.application.model} | {
        worker.model for model in graphs for worker in model.assembly.spec.workers.values()
    }
    known = sorted(filter(None, references))
    threads, octopuses, models = await asyncio.gather(
        threads_answer(served.saver),
        asyncio.gather(*map(_octopus, graphs)),
        asyncio.gather(*(asyncio.to_thread(parse_reference(text).reachable) for text in known)),
    )
    up = dict(zip(known, models, strict=True))
    return {
        "threads": threads,
        "octopus": {model.id: state for model, state in zip(graphs, octopuses, strict=True)},
        "workers": {
            f"{model.id}/{name}": _worker(
                bool(spec.tools), up.get(spec.model or served.settings.application.model or "")
            )
            for model in graphs
            for name, spec in model.assembly.spec.workers.items()
        },
    }


async def threads_answer(saver: Saver) -> str:
    """Return "ok", or the error with which the storage of threads fails."""
    try:
        async with asyncio.timeout(3):
            await saver.aget_tuple(config_of("~ready"))
    except Exception as error:
        return f"fails ({type(error).__name__})"
    return "ok"


async def _octopus(model: Model) -> str:
    octopus = model.assembly.octopuses[model.assembly.spec.entry]
    try:
        async with asyncio.timeout(10):
            await octopus.route([HumanMessage("Is the Octopus ready?")])
    except Exception as error:
        return f"fails ({type(error).__name__})"
    return "ok"


def _worker(tools: bool, model: bool | None) -> str:
    if model is None:
        return "tools only" if tools else "no model"
    if model:
        return "ok"
    return "tools only, its model does not answer" if tools else "its model does not answer"
