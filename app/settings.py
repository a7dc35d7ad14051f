"""Settings, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict

from agents.errors import InputError
from app.persistence.checkpointer import Place

APPLICATION = "octopus-graph"


class Settings(BaseModel):
    """What the environment says.

    Attributes:
        model: `OCTOPUS_MODEL`, one general model for all workers without their own.
        threads: where conversations are kept: a Redis (`REDIS_URL`) or an SQLite file, in `OCTOPUS_HOME` or
            the user's data directory.
        cache_dir: embeddings that can be computed again; inside `OCTOPUS_HOME` where that is set.
        benchmark_data: `OCTOPUS_DATA`, where benchmark data lies.
        traces: `OCTOPUS_TRACES`, the file where runs are logged; None logs none.
    """

    model_config = ConfigDict(frozen=True)

    model: str | None = None
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
        return cls(
            model=environment.get("OCTOPUS_MODEL") or None,
            threads=threads,
            cache_dir=Path(home) / "cache" if home else user_cache_path(APPLICATION),
            benchmark_data=Path(data) if data else None,
            traces=Path(traces) if traces else None,
        )
