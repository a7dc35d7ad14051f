"""Files that appear only when they are complete."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def output_file(target: Path) -> Iterator[IO[str]]:
    """`target` opened for UTF-8 text, or standard output where it is `-`; after an error it is as it was."""
    if str(target) == "-":
        yield sys.stdout
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        yield file
    partial.replace(target)
