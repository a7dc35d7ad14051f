"""Manage kept conversations, in Redis or in SQLite: `octopus threads`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from app.persistence.threads import ThreadSummary

    Saver = BaseCheckpointSaver[Any]

cli = typer.Typer(help="List, show, delete, export and import conversations.", no_args_is_help=True)

Thread = Annotated[str, typer.Argument(help="Id of the conversation.")]


@cli.command("list")
def list_(
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many, last used first.")] = None,
) -> None:
    """List the conversations: id, number of checkpoints, last use."""
    from app.persistence.threads import list_threads

    async def run(saver: Saver) -> None:
        for found in await list_threads(saver, limit):
            typer.echo(line_of(found))

    _with_saver(run)


def line_of(found: ThreadSummary) -> str:
    """Return a line of the list: id, number of checkpoints, last use."""
    # An id may hold anything: a tab, a newline, an escape.
    name = found.thread_id if found.thread_id.isprintable() else repr(found.thread_id)
    return f"{name}\t{found.checkpoints}\t{found.updated or found.fault}"


@cli.command()
def show(thread: Thread) -> None:
    """Show what was said."""

    async def run(saver: Saver) -> None:
        for message in await _messages(saver, thread):
            who = "you" if message.type == "human" else message.name or "octopus"
            typer.echo(f"{who}: {message.text}")

    _with_saver(run)


@cli.command()
def delete(thread: Thread) -> None:
    """Delete a conversation and all its checkpoints."""
    from app.persistence.errors import CorruptDataError, LostDataError, TypeNotAllowedError

    async def run(saver: Saver) -> None:
        # A damaged conversation can be deleted too.
        with contextlib.suppress(LostDataError, CorruptDataError, TypeNotAllowedError):
            await _messages(saver, thread)
        await saver.adelete_thread(thread)
        typer.echo(f"Thread {thread!r} is deleted.")

    _with_saver(run)


@cli.command()
def export(
    thread: Thread,
    output: Annotated[Path, typer.Option(help="Where the lines go; - is standard output.")] = Path("-"),
) -> None:
    """Write a conversation, with its checkpoints, as JSON lines that `import` reads; not encrypted."""
    from app.commands.options import output_file
    from app.persistence.threads import export_thread

    async def run(saver: Saver) -> None:
        await _messages(saver, thread)
        async with aclosing(export_thread(saver, thread)) as lines:
            with output_file(output) as file:
                async for line in lines:
                    file.write(line + "\n")

    _with_saver(run)


@cli.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file that `export` wrote; - is standard input.")],
    thread: Annotated[str | None, typer.Option("--as", help="Another id than the exported one.")] = None,
) -> None:
    """Import an exported conversation."""
    from agents.errors import InputError
    from app.persistence.threads import import_thread

    async def run(saver: Saver) -> None:
        try:
            lines = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
            name = await import_thread(saver, lines.splitlines(), thread)
        except OSError as error:
            raise InputError(f"{file}: cannot be read: {error.strerror or error}.") from error
        except (ValueError, TypeError) as error:
            raise InputError(f"{file}: {error}") from error
        typer.echo(f"Thread {name!r} is here.")

    _with_saver(run)


async def _messages(saver: Saver, thread: str) -> list[Any]:
    """Return the messages of a thread.

    Raises:
        InputError: there is no such thread.
    """
    from agents.errors import InputError
    from app.persistence.checkpoints import config_of, messages_of

    found = await saver.aget_tuple(config_of(thread))
    if found is None:
        raise InputError(f"there is no thread {thread!r}.", hint="`octopus threads list` shows them.")
    return await messages_of(saver, found)


def _with_saver(run: Callable[[Saver], Awaitable[None]]) -> None:
    from app.runs.memory import open_saver
    from app.settings import Settings

    async def opened() -> None:
        async with open_saver(Settings.read()) as saver:
            await run(saver)

    asyncio.run(opened())
