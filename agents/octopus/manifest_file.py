"""The manifest of an artifact: JSON, written last, with the digests of the other files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from agents.errors import ArtifactError

M = TypeVar("M", bound=BaseModel)


def read_manifest_file(path: Path, kind: type[M], missing: str, hint: str) -> M:
    """The manifest at `path`.

    Args:
        path: of the file.
        kind: of manifest.
        missing: what the folder does not hold if it cannot be read.
        hint: how to come by it.

    Raises:
        ArtifactError: it is not there, or not of that kind.
    """
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path.parent}: {missing} here ({error}).", hint=hint) from error


def sha256_of(path: Path) -> str:
    """The digest of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_file(path: Path, digest: str) -> None:
    """See that a file is the one whose digest was written down.

    Raises:
        ArtifactError: it is not, or not there.
    """
    if not path.is_file() or sha256_of(path) != digest:
        raise ArtifactError(f"{path}: missing, or not the file that the manifest names.")
