"""Read and write rows for the commands that answer many queries: `octopus route` and `octopus plan`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.commands.output import output_file

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
