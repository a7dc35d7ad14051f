"""Hold what the environment says about the models of every graph."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from platformdirs import user_cache_path
from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from agents.errors import InputError, SpecError
from agents.settings import EnvironmentSettings

if TYPE_CHECKING:
    from graphs.spec import GraphSpec

APPLICATION = "octopus-graph"
REST = "*"
"""Stand, where workers are given models, for all workers that have none of their own."""
_FOR_ONE = re.compile(r"(?P<worker>[^:@?#=]+)=(?P<model>.+)", re.DOTALL)


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


def read_models(file: Any) -> Any:
    """Read which worker has which model from a YAML file: `law: ollama:NAME`, `"*": auto` for the rest.

    Raises:
        InputError: the file cannot be read, or holds something else.
    """
    if not isinstance(file, str | Path):
        return file
    from yaml import YAMLError, safe_load

    try:
        found = safe_load(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise InputError(f"the models file {str(file)!r} cannot be read: {error}") from error
    texts = isinstance(found, dict) and all(isinstance(one, str) for pair in found.items() for one in pair)
    if not texts:
        raise InputError(
            f"the models file {str(file)!r} does not give workers models.", hint="Write `law: ollama:NAME`."
        )
    return found


def models_of(options: Sequence[str]) -> dict[str, str]:
    """Read `WORKER=MODEL`, or a model alone for the rest, as they stand on a command line.

    Raises:
        InputError: a worker is given two.
    """
    found: dict[str, str] = {}
    for text in options:
        match = _FOR_ONE.fullmatch(text)
        worker, model = (match["worker"].strip(), match["model"].strip()) if match else (REST, text.strip())
        if found.setdefault(worker, model) != model:
            who = f"worker {worker!r}" if match else "the rest"
            raise InputError(
                f"{who} is given two models, {found[worker]!r} and {model!r}.", hint="Choose one."
            )
    return found


class GraphSettings(EnvironmentSettings):
    """Hold what building a graph needs to know.

    Attributes:
        model: one general model for all workers without their own; `auto` takes one of a server here.
        models: those of single workers, before their spec's; WORKER, or GRAPH/WORKER of that graph alone.
        router: a model on a server that routes at all nodes without their own.
        model_memory: bytes for models in this process; by default seven tenths of the machine's memory.
        home: where everything is kept; by default the user's directories.
        languages: whether the extra of that name is used where it is installed.
    """

    model: str | None = Field(default=None, alias="OCTOPUS_MODEL")
    models: Annotated[Mapping[str, str], NoDecode, BeforeValidator(read_models)] = Field(
        default_factory=dict, alias="OCTOPUS_MODELS"
    )
    router: str | None = Field(default=None, alias="OCTOPUS_ROUTER")
    model_memory: Annotated[int, BeforeValidator(parse_bytes)] = Field(
        default_factory=lambda: physical_memory() * 7 // 10, alias="OCTOPUS_MODEL_MEMORY"
    )
    home: Path | None = Field(default=None, alias="OCTOPUS_HOME")
    languages: bool = Field(default=True, alias="OCTOPUS_LANGUAGES")

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Read `environment`, by default the process's; `given` are fields that come from elsewhere.

        Raises:
            InputError: a variable has a wrong value.
            SpecError: a model of the models file is not understood.
        """
        settings = super().read(environment, **given)
        general = None if settings.model == "none" else settings.model
        return settings.model_copy(update={"model": general, "models": {}}).using(settings.models)

    def using(self, models: Mapping[str, str]) -> Self:
        """Return the settings with these models before those that there were; `*` is the general one.

        Raises:
            SpecError: a model is not understood.
        """
        for worker, model in models.items():
            if worker != REST or model != "none":
                _check(worker, model)
        own = {worker: model for worker, model in models.items() if worker != REST}
        general = models.get(REST, self.model)
        return self.model_copy(
            update={"model": None if general == "none" else general, "models": {**self.models, **own}}
        )

    @property
    def cache_dir(self) -> Path:
        """Return the folder of embeddings that can be computed again."""
        return self.home / "cache" if self.home else user_cache_path(APPLICATION)


def _check(worker: str, model: str) -> None:
    from agents.workers.kinds import parse_reference

    try:
        parse_reference(model)
    except SpecError as error:
        who = "" if worker == REST else f"worker {worker!r}: "
        raise SpecError(f"{who}{error.message}", hint=error.hint) from error


def check_workers(models: Mapping[str, str], specs: Sequence[GraphSpec]) -> None:
    """Check that models are given to workers of these graphs, or as GRAPH/WORKER to those of others.

    Raises:
        SpecError: there is no such worker.
    """
    for key in models:
        graph, _, worker = key.rpartition("/")
        named = [spec for spec in specs if not graph or spec.name == graph]
        known = [name for spec in named for name in spec.workers]
        if worker in known or (graph and not named):
            continue
        near = get_close_matches(worker, known, 1)
        advice = f"Did you mean {near[0]!r}?" if near else f"Workers: {', '.join(known)}."
        raise SpecError(
            f"there is no worker {worker!r} in graph {', '.join(spec.name for spec in named)}.",
            hint=f"{advice} In models, `*` stands for the rest, and GRAPH/WORKER is for that graph alone.",
        )
