"""Say what assembling a graph needs to know of the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class GraphSettings(Protocol):
    """Describe the settings that a graph is assembled with; the application's settings have them.

    Attributes:
        model: a reference to the model of all workers without their own; None if there is none.
        router: a reference to the model that routes at all nodes without their own; None if there is none.
        model_memory: bytes for models in this process.
        cache_dir: folder of embeddings, which can be computed again.
    """

    @property
    def model(self) -> str | None: ...  # noqa: D102

    @property
    def router(self) -> str | None: ...  # noqa: D102

    @property
    def model_memory(self) -> int: ...  # noqa: D102

    @property
    def cache_dir(self) -> Path: ...  # noqa: D102
