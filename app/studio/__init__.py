"""Serve graphs to the LangGraph development server and Studio: `from app.studio import from_spec`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.studio.graphs import from_spec

__all__ = ["from_spec"]


def __getattr__(name: str) -> Any:
    # Lazily, because `app.studio.auth` is loaded where no graph is.
    if name == "from_spec":
        from app.studio.graphs import from_spec

        return from_spec
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
