"""Settings, read once from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, Field

from agents.errors import InputError
from app.persistence.location import Place

APPLICATION = "octopus-graph"


class Settings(BaseModel):
    """What the environment says.

    Attributes:
        model: `OCTOPUS_MODEL`, one general model for all workers without their own.
        router: `OCTOPUS_ROUTER`, a model on a server that routes at all nodes without their own.
        model_memory: `OCTOPUS_MODEL_MEMORY` (`8GB`), bytes for models in this process; by default seven
            tenths of the machine's memory.
        threads: where conversations are kept: a Redis (`REDIS_URL`) or an SQLite file, in `OCTOPUS_HOME` or
            the user's data directory.
        cache_dir: embeddings that can be computed again; inside `OCTOPUS_HOME` where that is set.
        benchmark_data: `OCTOPUS_DATA`, where benchmark data lies.
        traces: `OCTOPUS_TRACES`, the file where runs are logged; None logs none.
    """

    model_config = ConfigDict(frozen=True)

    model: str | None = None
    router: str | None = None
    model_memory: int = Field(default_factory=lambda: physical_memory() * 7 // 10, gt=0)
    threads: Place
    cache_dir: Path
    benchmark_data: Path | None = None
    traces: Path | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read `environment`, by default the process's.

        Raises:
            InputError: a variable cannot be understood.
        """
        environment = os.environ if environment is None else environment
        home = environment.get("OCTOPUS_HOME")
        data = environment.get("OCTOPUS_DATA")
        traces = environment.get("OCTOPUS_TRACES")
        try:
            threads = Place.read(environment)
        except ValueError as error:
            raise InputError(str(error)) from error
        memory = environment.get("OCTOPUS_MODEL_MEMORY")
        return cls(
            model=environment.get("OCTOPUS_MODEL") or None,
            router=environment.get("OCTOPUS_ROUTER") or None,
            **({"model_memory": parse_bytes(memory)} if memory else {}),
            threads=threads,
            cache_dir=Path(home) / "cache" if home else user_cache_path(APPLICATION),
            benchmark_data=Path(data) if data else None,
            traces=Path(traces) if traces else None,
        )


def parse_bytes(text: str) -> int:
    """`8GB`, `500 MB` or plain bytes.

    Raises:
        InputError: it is no positive amount of memory.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", text.strip(), re.IGNORECASE)
    power = "_KMGT".index(match[2].upper() or "_") if match else 0
    amount = int(float(match[1]) * (1024 if match[3] else 1000) ** power) if match else 0
    if amount < 1:
        raise InputError(f"OCTOPUS_MODEL_MEMORY is {text!r}.", hint="Write an amount of memory, e.g. 8GB.")
    return amount


def physical_memory() -> int:
    """Bytes of memory of this machine; 8 GB where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 8_000_000_000
