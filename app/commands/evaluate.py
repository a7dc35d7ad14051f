"""`octopus eval`: measurements, each beside a baseline from the same run."""

from __future__ import annotations

import typer

cli = typer.Typer(help="Measure.", no_args_is_help=True)


@cli.callback()
def _evaluate() -> None:
    """Measure."""
