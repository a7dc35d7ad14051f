"""Keep what `octopus train synthesize` has made so far, in memory and on disk."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.provenance import claim_folder
from training.rows.labelled_rows import read_json_lines
from training.rows.synthesis_prompts import NONE


@dataclass
class Synthesis:
    """Hold the rows so far, and count what became of the others.

    Attributes:
        rows: kept.
        counts: queries made, kept and dropped, by reason.
        calls, read, written: calls of the chat model, and the tokens that it read and wrote.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    read: int = 0
    written: int = 0

    def kept(self, node: str) -> int:
        """Return how many rows `node` has."""
        return sum((row["node"] or NONE) == node for row in self.rows)

    def add(self, batch: dict[str, Any]) -> None:
        """Add a batch, in the form in which it is logged."""
        self.rows += batch["rows"]
        self.counts.update(batch["counts"])
        self.calls += batch["calls"]
        self.read += batch["read"]
        self.written += batch["written"]


def resume(out: Path, settings: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Return the batches that are done, by number; a last line that was cut off is removed.

    Raises:
        InputError: `out` belongs to a run with other settings.
    """
    log = out / "batches.jsonl"
    claim_folder(out, settings, begun=log.exists())
    if not log.exists():
        return {}
    whole, _, cut_off = log.read_bytes().rpartition(b"\n")
    if cut_off:
        log.write_bytes(whole + b"\n" if whole else b"")
    return {row["batch"]: row for _, row in read_json_lines(log)}


def finish(made: Synthesis, out: Path, price: tuple[float, float]) -> None:
    """Write rows.jsonl and, last, synthesis.json."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made.rows)
    (out / "rows.jsonl").write_text(text, encoding="utf-8")
    dollars = (made.read * price[0] + made.written * price[1]) / 1e6
    told = {
        "rows": len(made.rows),
        "by_node": dict(Counter(row["node"] or NONE for row in made.rows)),
        "counts": dict(made.counts),
        "calls": made.calls,
        "tokens": {"read": made.read, "written": made.written},
        "dollars": round(dollars, 6),
    }
    (out / "synthesis.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
