"""List what is served: models as OpenAI's API does, and graphs as data to draw."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from app.server.dependencies import Chatter, Served
from app.server.errors import ApiError
from app.server.models import Model
from graphs.spec import GraphSpec

router = APIRouter()


@router.get("/v1/models", tags=["OpenAI"])
async def models(served: Served, caller: Chatter) -> dict[str, Any]:
    """List every graph, and every worker as `graph/worker`."""
    return {"object": "list", "data": [_model(model, served.started) for model in served.graphs]}


@router.get("/v1/models/{model:path}", tags=["OpenAI"])
async def model(model: str, served: Served, caller: Chatter) -> dict[str, Any]:
    """Return one model."""
    return _model(served.graphs.get(model), served.started)


@router.get("/graphs", tags=["Graphs"])
async def graphs(served: Served, caller: Chatter) -> dict[str, Any]:
    """List the names and descriptions of the graphs."""
    specs = [assembly.spec for assembly in served.graphs.assemblies]
    return {"object": "list", "data": [{"id": s.name, "description": s.description} for s in specs]}


@router.get("/graphs/{graph}", tags=["Graphs"])
async def graph(graph: str, served: Served, caller: Chatter) -> dict[str, Any]:
    """Return one graph: its nodes, and its edges with their functional tokens."""
    for assembly in served.graphs.assemblies:
        if assembly.spec.name == graph:
            return drawing(assembly.spec)
    raise ApiError(404, "There is no such graph; GET /graphs lists them.", code="not_found", param="graph")


def drawing(spec: GraphSpec) -> dict[str, Any]:
    """Return nodes, each a master or a worker, and edges by token; no language model is named."""
    return {
        "id": spec.name,
        "description": spec.description,
        "entry": spec.entry,
        "nodes": [
            {
                "id": name,
                "kind": "master" if name in spec.masters else "worker",
                "description": node.description,
                "tools": list(getattr(node, "tools", ())),
            }
            for name, node in spec.nodes.items()
        ],
        "edges": [
            {"source": name, "target": target, "token": token}
            for name, node in spec.nodes.items()
            for target, token in node.neighbours.items()
        ],
    }


def _model(model: Model, created: int) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": created,
        "owned_by": "octopus",
        "description": model.description,
    }
