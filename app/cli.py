"""Run the `octopus` command, and tell questions without quotes from commands and options."""

from __future__ import annotations

import gc
import re
import shlex
import sys
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from app.commands import ask, chat, doctor, evaluate, graph, models, route, serve, threads, traces, train
from app.commands.options import CODES_TOLD, exit_code

_OPTION = re.compile(r"-[A-Za-z]\w*|--[A-Za-z][\w-]*(=.*)?", re.DOTALL)
_COMMAND = re.compile(r"[A-Za-z][A-Za-z-]*")

_CLOSE = 0.8  # what and chat are 0.75 alike


class Questioning(TyperCommand):
    """Take the words of a question; what has not the form of an option is one of them: `-5 + 3`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Part the options from the words, and parse them."""
        known: dict[str, TyperOption | None] = {}
        known |= {name: one for one in self.params if isinstance(one, TyperOption) for name in one.opts}
        known |= dict.fromkeys(self.get_help_option_names(ctx))
        options: list[str] = []
        words: list[str] = []
        rest = iter(args)
        for arg in rest:
            if arg == "--":
                words += rest
            elif not _OPTION.fullmatch(arg):
                words.append(arg)
            else:
                if arg[1] != "-" and arg[:2] not in known:
                    ctx.fail(f"No such option: {arg}. A question that begins so follows `--`.")
                options.append(arg)
                if (option := known.get(arg)) is not None and not option.is_flag:
                    if (value := next(rest, None)) is None:
                        ctx.fail(f"Option {arg} needs a value.")
                    options.append(str(value))
        return super().parse_args(ctx, [*options, "--", *words])


class Commands(TyperGroup):
    """Find the command; what cannot be the name of one is a question."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Hand options that are not the group's to `ask`."""
        own = {name for one in self.params for name in one.opts} | set(self.get_help_option_names(ctx))
        if args and args[0].startswith("-") and args[0].partition("=")[0] not in own:
            args = ["ask", *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Hand a question to `ask`; a single word that is no command is rather a slip."""
        name = args[0]
        if self.get_command(ctx, name) is None:
            if _COMMAND.fullmatch(name):
                close = get_close_matches(name, self.list_commands(ctx), 1, _CLOSE)
                advice = (
                    f"Did you mean `{close[0]}`?" if close else f"To ask it: octopus ask {shlex.join(args)}"
                )
                ctx.fail(f"No such command '{name}'. {advice}")
            args = ["ask", *args]
        return super().resolve_command(ctx, args)


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
cli.add_typer(models.cli, name="models")
cli.add_typer(graph.cli, name="graph")
cli.add_typer(threads.cli, name="threads")
cli.add_typer(train.cli, name="train")
cli.add_typer(evaluate.cli, name="eval")
cli.command("help")(_help)


def main() -> None:
    """Run the command line; see `CODES_TOLD`."""
    gc.set_threshold(50_000, 20, 50)  # imports leave little garbage: looking for it took a tenth of a start
    try:
        cli(prog_name="octopus")
    except Exception as error:
        if (code := exit_code(error)) == 1:
            raise
        print(f"octopus: {error}", *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)  # noqa: T201
        sys.exit(code)


if __name__ == "__main__":
    main()
