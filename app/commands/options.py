"""Options that several commands share."""

from __future__ import annotations

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
