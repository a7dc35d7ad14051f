"""Ask a graph of small language models, or embed it: `from app import Octopus`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.errors import (
        ArtifactError,
        InputError,
        ModelUnavailableError,
        OctopusGraphError,
        RoutingError,
        SpecError,
    )
    from app.octopus import Octopus
    from app.persistence import RedisSaver
    from app.persistence.errors import PersistenceError
    from app.studio.graphs import from_spec
    from graphs.build import build_graph
    from graphs.spec import GraphSpec

__all__ = [
    "ArtifactError",
    "GraphSpec",
    "InputError",
    "ModelUnavailableError",
    "Octopus",
    "OctopusGraphError",
    "PersistenceError",
    "RedisSaver",
    "RoutingError",
    "SpecError",
    "build_graph",
    "from_spec",
]

_HOMES = {
    "GraphSpec": "graphs.spec",
    "Octopus": "app.octopus",
    "PersistenceError": "app.persistence.errors",
    "RedisSaver": "app.persistence",
    "build_graph": "graphs.build",
    "from_spec": "app.studio.graphs",
}


def __getattr__(name: str) -> Any:
    # Importing this package imports nothing else: `octopus --help` should not wait for LangGraph.
    if name in __all__:
        return getattr(import_module(_HOMES.get(name, "agents.errors")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
