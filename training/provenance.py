"""Record what a result depends on, and refuse to continue a run that began with something else."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from agents.errors import InputError


def versions(*packages: str) -> dict[str, str]:
    """Return the installed versions of Python and `packages`."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def fingerprint(*parts: Any) -> str:
    """Return a hash of JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def claim_folder(folder: Path, settings: dict[str, Any], *, begun: bool) -> None:
    """Write `settings` to `folder`, so that the run there is continued only with the same ones.

    Args:
        folder: created if it does not exist.
        settings: everything that the result depends on.
        begun: whether an earlier run left work in `folder`.

    Raises:
        InputError: that earlier run had other settings or rows.
    """
    note, text = folder / "settings.json", json.dumps(settings, indent=2, sort_keys=True)
    if begun and (not note.exists() or note.read_text(encoding="utf-8") != text):
        raise InputError(
            f"{folder} belongs to a run with other settings or rows.",
            hint="Delete the folder to start afresh, or choose another --out.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    note.write_text(text, encoding="utf-8")
