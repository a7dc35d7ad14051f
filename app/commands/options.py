"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

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
