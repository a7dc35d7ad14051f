"""Hold what the environment says about the models of every graph."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_cache_path
from pydantic import BeforeValidator, Field

from agents.errors import InputError
from agents.settings import EnvironmentSettings

APPLICATION = "octopus-graph"


def parse_bytes(amount: Any) -> int:
    """Return the bytes of `8GB`, `500 MB` or a plain number.

    Raises:
        InputError: it is no positive amount of memory.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", str(amount).strip(), re.IGNORECASE)
    power = "_KMGT".index(match[2].upper() or "_") if match else 0
    found = int(float(match[1]) * (1024 if match[3] else 1000) ** power) if match else 0
    if found < 1:
        raise InputError(f"OCTOPUS_MODEL_MEMORY is {amount!r}.", hint="Write an amount of memory, e.g. 8GB.")
    return found


def physical_memory() -> int:
    """Return the bytes of memory of this machine; 8 GB where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 8_000_000_000


class GraphSettings(EnvironmentSettings):
    """Hold what building a graph needs to know.

    Attributes:
        model: one general model for all workers without their own.
        router: a model on a server that routes at all nodes without their own.
        model_memory: bytes for models in this process; by default seven tenths of the machine's memory.
        home: where everything is kept; by default the user's directories.
        languages: whether the extra of that name is used where it is installed.
    """

    model: str | None = Field(default=None, alias="OCTOPUS_MODEL")
    router: str | None = Field(default=None, alias="OCTOPUS_ROUTER")
    model_memory: Annotated[int, BeforeValidator(parse_bytes)] = Field(
        default_factory=lambda: physical_memory() * 7 // 10, alias="OCTOPUS_MODEL_MEMORY"
    )
    home: Path | None = Field(default=None, alias="OCTOPUS_HOME")
    languages: bool = Field(default=True, alias="OCTOPUS_LANGUAGES")

    @property
    def cache_dir(self) -> Path:
        """Return the folder of embeddings that can be computed again."""
        return self.home / "cache" if self.home else user_cache_path(APPLICATION)
