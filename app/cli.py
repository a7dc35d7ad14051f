"""Run the `octopus` command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app.commands import ask, chat, doctor, evaluate, graph, route, serve, threads, traces, train
from app.commands.options import CODES_TOLD, exit_code
from app.commands.words import Commands, Questioning

cli = typer.Typer(
    name="octopus",
    cls=Commands,
    epilog=CODES_TOLD,
    context_settings={"help_option_names": ["--help", "-h"]},
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
    """Ask a graph of small language models, routed by functional tokens: octopus "What is 2 + 2?"."""


def _help(
    command: Annotated[list[str] | None, typer.Argument(help="A command: threads list.")] = None,
) -> None:
    """Say how a command is used."""
    cli([*(command or []), "--help"], prog_name="octopus")


cli.command(cls=Questioning, epilog=CODES_TOLD)(ask.ask)
cli.command()(chat.chat)
cli.command()(serve.serve)
cli.command()(route.route)
cli.command()(route.plan)
cli.command()(traces.feedback)
cli.command()(doctor.doctor)
cli.add_typer(graph.cli, name="graph")
cli.add_typer(threads.cli, name="threads")
cli.add_typer(train.cli, name="train")
cli.add_typer(evaluate.cli, name="eval")
cli.command("help")(_help)


def main() -> None:
    """Run the command line; see `CODES_TOLD`."""
    try:
        cli(prog_name="octopus")
    except Exception as error:
        if (code := exit_code(error)) == 1:
            raise
        print(f"octopus: {error}", *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)  # noqa: T201
        sys.exit(code)


if __name__ == "__main__":
    main()
