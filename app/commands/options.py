"""Share what several commands need: options, exit codes, extras to install, progress, an output file."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from agents.types import NodeName
    from app.settings import Settings
    from graphs.spec import GraphSpec
    from graphs.state import GraphContext

_MOST_TOKENS = 1024

EXIT_CODES = {"answered": 0, "asked": 0, "unavailable": 3, "declined": 4}
"""How the command ends, by the status of an answer; `exit_code` has those of errors."""
CODES_TOLD = (
    "Exit codes: 0 answered; 1 a fault of the program; 2 wrong usage or input; 3 no worker, model or storage "
    "answered; 4 the graph abstained, or a worker declined (where `route` exits with 0); 130 interrupted."
)
_SILENT = logging.NullHandler()  # without a handler, warnings go to standard error
WAIT = 10.0
"""Seconds to wait for a thread that is busy elsewhere: longer than a killed process has it."""
Detail = Literal["answer", "trace", "full"]
"""How much of a run is shown."""

Graph = Annotated[str, typer.Option("--graph", "-g", help="Name of a shipped graph, or path of a spec.")]
Artifact = Annotated[
    Path | None, typer.Option(help="Folder of a trained artifact; by default the graph's own.")
]
Data = Annotated[
    Path | None,
    typer.Option(
        envvar="OCTOPUS_DATA", help="Folder of benchmark data; the README says where it is to be had."
    ),
]
Model = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        help="A worker's model, law=ollama:NAME, or one for all that have none: ollama:NAME, auto, none. "
        "May be repeated.",
    ),
]
Models = Annotated[
    Path | None, typer.Option("--models", help="YAML file of models by worker; * stands for the rest.")
]
Reflection = Annotated[
    str | None,
    typer.Option(
        help="How drafts are reflected on: none, basic, reflexion, lats or auto; by default as in the spec."
    ),
]
Policy = Annotated[
    str | None,
    typer.Option(help="How much cost weighs against probability: quality (the default), balanced or cheap."),
]
Experts = Annotated[
    int | None, typer.Option(help="How many of the best neighbours answer the same question and vote.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-p",
        metavar="NAME=VALUE",
        help="A parameter of the model that answers, as OpenAI's API names it: temperature=0.2, "
        "max_tokens=200 (by default 1024), seed=1, stop=END, …; may be repeated.",
    ),
]
Approve = Annotated[bool, typer.Option("--approve", help="Ask before every step: y, n or another node.")]
Thread = Annotated[str | None, typer.Option("--thread", "-t", help="Id of the conversation to continue.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the answer alone.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Print the trace in full, and the details of a failure.")
]
Master = Annotated[str | None, typer.Option(help="Which routing node; by default the entry.")]


def find_master(graph: str, master: str | None) -> tuple[GraphSpec, NodeName]:
    """Return the spec of `graph`, and the routing node that the option names.

    Raises:
        InputError: that node has no neighbours.
    """
    from agents.errors import InputError
    from agents.types import NodeName
    from graphs.assembly import find_spec

    spec = find_spec(graph)
    name = NodeName(master) if master else spec.entry
    if name not in spec.nodes or not spec.nodes[name].neighbours:
        raise InputError(
            f"{name!r} is not a node with neighbours.", hint=f"Masters: {', '.join(spec.masters)}."
        )
    return spec, name


def settings_of(model: Sequence[str] | None, models: Path | None) -> Settings:
    """Return the settings of the environment with the models of the options before its own.

    Raises:
        InputError: a variable or the file has a wrong value.
        SpecError: a model is not understood.
    """
    from app.settings import Settings
    from graphs.settings import models_of, read_models

    settings = Settings.read()
    if models is not None:  # one file of models takes the place of another
        settings = settings.model_copy(update={"models": {}}).using(read_models(models))
    return settings.using(models_of(model or ()))


def detail_of(*, quiet: bool, verbose: bool) -> Detail:
    """Return how much is shown; what the servers of models said, which their log has, with all details only.

    Raises:
        InputError: both are asked for.
    """
    if quiet and verbose:
        from agents.errors import InputError

        raise InputError("-q and -v contradict each other.", hint="Choose one.")
    log = logging.getLogger("octopus.models")
    (log.removeHandler if verbose else log.addHandler)(_SILENT)
    return "answer" if quiet else "full" if verbose else "trace"


def context_of(parameters: Sequence[str] | None, *, approve: bool = False, **options: Any) -> GraphContext:
    """Return what the options ask of a run.

    Args:
        parameters: those of the model that answers, `NAME=VALUE` each.
        approve: whether a person is asked before every step.
        options: other fields of `GraphContext`; None asks for nothing.

    Raises:
        InputError: a value cannot be used.
    """
    # A small model that rambles would fill its window.
    generation = {"max_tokens": _MOST_TOKENS} | _read_parameters(parameters or ())
    asked = {name: value for name, value in options.items() if value is not None}
    asked |= {"generation": generation, **({"approve": True, "ask_user": True} if approve else {})}
    from pydantic import ValidationError

    from agents.errors import InputError
    from agents.generation import Generation
    from graphs.state import GraphContext

    try:
        return GraphContext.model_validate(asked)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name, *rest = map(str, fault["loc"])
        if name == "generation":
            param = fault.get("ctx", {}).get("param") or (rest[0] if rest else "")
            written = f"-p {param}={generation.get(param)}"
            known = ", ".join(Generation.model_fields)
            why = f"Known are {known}" if fault["type"] == "extra_forbidden" else fault["msg"]
            raise InputError(f"{written} cannot be used.", hint=f"{why[:1].upper()}{why[1:]}.") from error
        raise InputError(f"--{name} {fault['input']!r} cannot be used.", hint=f"{fault['msg']}.") from error


def _read_parameters(parameters: Sequence[str]) -> dict[str, Any]:
    """Return parameters by name; a value is JSON, or else text.

    Raises:
        InputError: one has another form.
    """
    from agents.errors import InputError

    found: dict[str, Any] = {}
    for parameter in parameters:
        name, equals, text = parameter.partition("=")
        if not name or not equals:
            raise InputError(f"-p {parameter!r} is no NAME=VALUE.", hint="Write it as in -p temperature=0.2.")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        found[name] = [str(value)] if name == "stop" and not isinstance(value, list) else value
    return found


def exit_code(error: Exception) -> int:
    """Return the exit code of an error: 1 for one that a user cannot act on."""
    from agents.errors import OctopusGraphError
    from app.persistence.errors import PersistenceError

    if isinstance(error, OctopusGraphError):
        return error.exit_code
    return 3 if isinstance(error, PersistenceError) else 1


@contextmanager
def needs_server_packages() -> Iterator[None]:
    """Say what to install where an import inside fails.

    Raises:
        ModelUnavailableError: a package of the extra `serve` is missing.
    """
    try:
        yield
    except ImportError as error:
        from agents.errors import ModelUnavailableError

        raise ModelUnavailableError(
            f"the server needs {error.name!r}, which is not installed.", hint="pip install -e '.[serve]'"
        ) from error


@contextmanager
def needs_training_packages() -> Iterator[None]:
    """Say what to install where an import inside fails.

    Raises:
        InputError: a package of the extra `train` is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        from agents.errors import InputError

        raise InputError(
            f"the package {error.name!r} is not installed.",
            hint="Install the extra: pip install -e '.[train]'.",
        ) from error


@contextmanager
def progress(title: str, *, total: float) -> Iterator[Callable[[float], None]]:
    """Yield a function that advances the bar, which is drawn on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda step: bar.advance(task, step)


@contextmanager
def output_file(target: Path) -> Iterator[IO[str]]:
    """Open `target` for UTF-8 text, or standard output if it is `-`; after an error the file is as it was."""
    if str(target) == "-":
        yield sys.stdout
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        yield file
    partial.replace(target)
