"""The served graphs as data to draw: nodes, and edges with their functional tokens."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from app.server.errors import ApiError
from app.server.openai import Chatter, Served
from graphs.spec import GraphSpec

router = APIRouter(prefix="/graphs", tags=["Graphs"])


@router.get("")
async def listing(served: Served, caller: Chatter) -> dict[str, Any]:
    """The names and descriptions of the graphs."""
    specs = [assembly.spec for assembly in served.graphs.assemblies]
    return {"object": "list", "data": [{"id": s.name, "description": s.description} for s in specs]}


@router.get("/{graph}")
async def graph(graph: str, served: Served, caller: Chatter) -> dict[str, Any]:
    """One graph."""
    for assembly in served.graphs.assemblies:
        if assembly.spec.name == graph:
            return drawing(assembly.spec)
    raise ApiError(404, "There is no such graph; GET /graphs lists them.", code="not_found", param="graph")


def drawing(spec: GraphSpec) -> dict[str, Any]:
    """Nodes, each a master or a worker, and edges from source to target by token. No model is named."""
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
