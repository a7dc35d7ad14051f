"""Read and write rows for the commands that answer many queries: `octopus route` and `octopus plan`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

_CHUNK = 256

Row = tuple[str, dict[str, Any]]
"""Where a row stands (file:line, for messages), and its fields."""


def each_row(
    source: Path, target: Path, title: str, answer: Callable[[list[Row]], list[dict[str, Any]]]
) -> None:
    """Write every row of `source` to `target`, with what `answer` adds to it, chunk by chunk."""
    from app.commands.progress import progress
    from training.rows.labelled_rows import read_files

    rows = list(read_files([source]))
    with output_file(target) as file, progress(title, total=len(rows)) as advance:
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            for (_, row), found in zip(chunk, answer(chunk), strict=True):
                # UTF-8 cannot hold a lone surrogate, which a row's own fields may: it stays escaped.
                text = json.dumps({**row, **found}, ensure_ascii=False)
                file.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")
            advance(len(chunk))


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
