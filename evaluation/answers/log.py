"""What workers answered, on disk as it comes, so that a killed evaluation goes on where it was."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from agents.errors import InputError


@dataclass(frozen=True, slots=True)
class Reply:
    """A worker's answer to one prompt.

    Attributes:
        choice: place of the choice that it made; None where none can be read.
        read, written: tokens, 0 where the worker does not say.
        seconds: that it took.
    """

    choice: int | None
    read: int = 0
    written: int = 0
    seconds: float = 0.0


class AnswerLog:
    """Replies by worker and prompt, appended to a file of JSON lines.

    Args:
        path: of the file; None keeps them in memory.

    Raises:
        InputError: a line of the file, other than a last one that was cut off, cannot be read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._replies: dict[str, Reply] = {}
        if path is not None and path.exists():
            self._read(path)

    def __len__(self) -> int:
        return len(self._replies)

    def get(self, worker: str, prompt: str) -> Reply | None:
        """The reply, if there is one."""
        return self._replies.get(_key(worker, prompt))

    def add(self, worker: str, prompt: str, reply: Reply) -> None:
        """Keep a reply; it is on disk when this returns."""
        key = _key(worker, prompt)
        self._replies[key] = reply
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "worker": worker, **asdict(reply)}) + "\n")

    def _read(self, path: Path) -> None:
        whole, _, cut_off = path.read_text(encoding="utf-8").rpartition("\n")
        if cut_off:  # the process was killed while it wrote this line
            path.write_text(whole + "\n" if whole else "", encoding="utf-8")
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = json.loads(line)
                reply = Reply(row["choice"], row["read"], row["written"], row["seconds"])
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{path}:{number}: not a reply ({error}).", hint="Delete the file to start afresh."
                ) from error
            self._replies[row["key"]] = reply


def _key(worker: str, prompt: str) -> str:
    return hashlib.sha256(f"{worker}\0{prompt}".encode()).hexdigest()[:32]
