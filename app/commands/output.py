"""Write the output of a command: a progress bar on a terminal, and a file that is whole or absent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


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
