"""Run the `octopus` command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app.commands import ask, doctor, evaluate, graph, route, serve, threads, traces, train

cli = typer.Typer(
    name="octopus",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("octopus-graph"))
        raise typer.Exit


@cli.callback()
def _cli(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say it and end.")
    ] = False,
) -> None:
    """Ask a graph of small language models, routed by functional tokens."""


cli.command()(ask.ask)
cli.command()(ask.chat)
cli.command()(serve.serve)
cli.command()(route.route)
cli.command()(route.plan)
cli.command()(traces.feedback)
cli.command()(doctor.doctor)
cli.add_typer(graph.cli, name="graph")
cli.add_typer(threads.cli, name="threads")
cli.add_typer(train.cli, name="train")
cli.add_typer(evaluate.cli, name="eval")


def main() -> None:
    """Run the command line: 2 is bad input, 3 an unavailable model or server, 1 a bug."""
    try:
        cli()
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        print(f"octopus: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(code)


def _exit_code(error: Exception) -> int | None:
    """Return the exit code of an error that a user can act on; None for a bug."""
    from agents.errors import OctopusGraphError
    from app.persistence.errors import PersistenceError

    if isinstance(error, OctopusGraphError):
        return error.exit_code
    return 3 if isinstance(error, PersistenceError) else None


if __name__ == "__main__":
    main()
