"""Show what a measurement found: Markdown tables to read, JSON to compute with, and pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from evaluation.intervals import Interval

Advance: TypeAlias = Callable[[float], None]
"""Tells a progress bar how much more of the work is done."""

Found = TypeVar("Found")


def no_progress(step: float) -> None:
    """Tell nobody: the default `Advance`."""


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def tabulate(heading: str, found: Mapping[str, Found], columns: Mapping[str, Callable[[Found], str]]) -> str:
    """Return a Markdown table of what was found.

    Args:
        heading: of the first column, which holds the keys of `found`.
        found: a row each.
        columns: by heading, how a cell is written.
    """
    rows = [[name, *(write(own) for write in columns.values())] for name, own in found.items()]
    return table((heading, *columns), rows)


def share(value: float | None) -> str:
    """Return a share in per cent, or a dash."""
    return "–" if value is None else f"{100 * value:.1f}"


def span(low: float, high: float) -> str:
    """Return an interval of shares in per cent."""
    return f"{share(low)}–{share(high)}"


def share_and_span(found: Interval) -> str:
    """Return a share in per cent with its interval."""
    return f"{share(found.mean)} ({span(found.low, found.high)})"


def points(gain: Interval) -> str:
    """Return a gain in percentage points with its interval."""
    return f"{100 * gain.mean:+.1f} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"


def plain(value: Any) -> Any:
    """Return metrics as JSON values, rounded to four digits."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(own) for key, own in value.items()}
    return round(value, 4) if isinstance(value, float) else value


@dataclass(frozen=True)
class Report:
    """Hold what a measurement found.

    Attributes:
        name: of its files.
        markdown: tables.
        figures: the same as JSON values.
        pictures: by file name, what draws a picture to a path.
    """

    name: str
    markdown: str
    figures: dict[str, Any]
    pictures: Mapping[str, Callable[[Path], None]] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write pictures and Markdown, then the JSON, which makes the report complete."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, draw in self.pictures.items():
            draw(folder / name)
        (folder / f"{self.name}.md").write_text(self.markdown + "\n", encoding="utf-8")
        (folder / f"{self.name}.json").write_text(json.dumps(self.figures, indent=2) + "\n", encoding="utf-8")
