"""State of a training that may be killed at any time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from agents.errors import InputError


@dataclass(frozen=True)
class Checkpoint:
    """One file, replaced as a whole.

    Attributes:
        path: of the file.
        fingerprint: of everything that the result depends on.
    """

    path: Path
    fingerprint: str

    def load(self) -> dict[str, Any] | None:
        """The last state, if there is one.

        Raises:
            InputError: it is that of another training.
        """
        if not self.path.is_file():
            return None
        state: dict[str, Any] = torch.load(self.path, weights_only=True)
        if state["fingerprint"] != self.fingerprint:
            raise InputError(
                f"{self.path}: a training with other rows or settings was interrupted here.",
                hint="Finish it with the same command, delete the file, or choose another --out.",
            )
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replace the last state."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".new")
        torch.save(state | {"fingerprint": self.fingerprint}, unfinished)
        unfinished.replace(self.path)

    def remove(self) -> None:
        """The training is complete."""
        self.path.unlink(missing_ok=True)


def fingerprint(*parts: Any) -> str:
    """A hash of JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
