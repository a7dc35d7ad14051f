"""Log runs to train on, redacted, if `OCTOPUS_TRACES` asks for it: one JSON line for a run or a feedback."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.errors import InputError
from agents.redaction import redacted
from agents.types import Hop

_KEPT = ("master", "node", "token", "probability", "query", "status", "answer", "tokens", "seconds")


@dataclass(frozen=True)
class TraceLog:
    """Append to a file that only its owner may read; lines of several processes do not mix."""

    path: Path

    def record(self, graph: str, question: str, hops: Sequence[Hop]) -> str:
        """Keep a run; return its turn id, "" for a run without hops."""
        if not hops:
            return ""
        turn = hops[0]["turn"]
        kept = [_kept(hop) for hop in hops if hop["node"]]
        self._append({"turn": turn, "time": time.time(), "graph": graph, "question": question, "hops": kept})
        return turn

    def feedback(self, turn: str | None, said: dict[str, Any]) -> str:
        """Keep what a user thinks of a run, by default the last one; return its turn id.

        Raises:
            InputError: there is no such run in the log.
        """
        turns = self._turns()
        found = next((own for own in reversed(turns) if turn is None or own.startswith(turn)), None)
        if found is None:
            raise InputError(
                f"{self.path} has no run {turn!r}." if turn else f"{self.path} has no runs yet.",
                hint="Runs are kept while OCTOPUS_TRACES is set.",
            )
        self._append({"turn": found, "time": time.time(), "feedback": said})
        return found

    def _append(self, row: dict[str, Any]) -> None:
        line = json.dumps(redacted(row), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # One write to a file opened for appending is not mixed with those of others.
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)

    def _turns(self) -> list[str]:
        from training.rows.labelled_rows import read_json_lines

        if not self.path.exists():
            return []
        return [row["turn"] for _, row in read_json_lines(self.path) if "hops" in row]


def _kept(hop: Hop) -> dict[str, Any]:
    evidence = hop["evidence"]
    kept = {name: hop[name] for name in _KEPT}  # type: ignore[literal-required]
    rounds = (evidence.get("reflection") or {}).get("rounds", [])
    kept["verdict"] = evidence.get("verdict", "")
    kept["drafts"] = [
        {"text": one["draft"], "passed": one["passed"]} for one in rounds if one["score"] is not None
    ]
    return kept
