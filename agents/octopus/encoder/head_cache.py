"""Keep zero-shot heads between runs: embedding docstrings is the slowest part of starting."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from agents.errors import ArtifactError
from agents.octopus.encoder.zero_shot import Candidate, Embed, ZeroShotHead

_VERSION = "3"  # of what a head is computed from; raise it when zero-shot scoring changes


class HeadCache:
    """Heads as files named by a hash of the neighbours' texts; it may be deleted at any time.

    Args:
        folder: where the files go. A folder that cannot be written only costs time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build(self, candidates: Sequence[Candidate], embed: Embed) -> ZeroShotHead:
        """The head of `candidates`, read from the cache or computed and kept."""
        described = json.dumps([_VERSION, [asdict(candidate) for candidate in candidates]])
        path = self._folder / f"head-{hashlib.sha256(described.encode()).hexdigest()[:32]}.npz"
        if (cached := _read(path)) is not None:
            return cached
        head = ZeroShotHead.build(candidates, embed)
        with contextlib.suppress(OSError):
            _write(path, head)
        return head


def _read(path: Path) -> ZeroShotHead | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return ZeroShotHead.from_arrays(dict(arrays))
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, ArtifactError):
        return None  # absent or damaged: it is computed again


def _write(path: Path, head: ZeroShotHead) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez(file, **head.to_arrays())  # type: ignore[arg-type]
    Path(file.name).replace(path)  # two processes may write the same head at once
