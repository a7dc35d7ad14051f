"""Rows in, rows out: what `octopus route` and `octopus plan` share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from app.commands.output import output_file

_CHUNK = 256

Row = tuple[str, dict[str, Any]]
"""Where a row stands, for messages, and its fields."""


def each_row(
    source: Path, target: Path, title: str, answer: Callable[[list[Row]], list[dict[str, Any]]]
) -> None:
    """Write every row of `source` with what `answer` adds to it, chunk by chunk, to `target`."""
    from app.commands.progress import progress
    from training.rows.labelled_rows import read_json_lines

    rows = [(f"{source}:{number}", row) for number, row in read_json_lines(source)]
    with output_file(target) as file, progress(title, total=len(rows)) as advance:
        for chunk in _chunks(rows):
            for row, found in zip(chunk, answer(chunk), strict=True):
                file.write(_line({**row[1], **found}))
            advance(len(chunk))


def _line(row: dict[str, Any]) -> str:
    # UTF-8 cannot hold a lone surrogate, which a row's own fields may: it stays escaped.
    text = json.dumps(row, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
