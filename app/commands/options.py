"""Define the options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from agents.types import NodeName
    from graphs.spec import GraphSpec

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
