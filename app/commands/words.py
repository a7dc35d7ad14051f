"""Read a command line whose words are a question: which begin with a dash, and which name no command."""

from __future__ import annotations

import re
import shlex
from difflib import get_close_matches
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

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
