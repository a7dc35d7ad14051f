"""What queries and neighbours look like in general: the reference that zero-shot routing centres on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.errors import ArtifactError

BACKGROUND_FILE = Path(__file__).parent / "artifacts" / "background.npz"


@dataclass(frozen=True, slots=True)
class Background:
    """Made by training/background.py from texts over many domains.

    Attributes:
        query_mean: [d] mean embedding of queries.
        description_mean: [d] mean vector of neighbours, from name and description alone.
        document_frequency: in how many descriptions a term occurs.
        size: the number of those descriptions.
    """

    query_mean: NDArray[np.float32]
    description_mean: NDArray[np.float32]
    document_frequency: Mapping[str, int]
    size: int

    def save(self, path: Path) -> None:
        """Write to `path` (.npz); the same background gives the same bytes."""
        items = sorted(self.document_frequency.items())
        np.savez_compressed(
            path,
            query_mean=self.query_mean,
            description_mean=self.description_mean,
            terms=np.array([term for term, _ in items], dtype=np.str_),
            frequencies=np.array([count for _, count in items], dtype=np.int64),
            size=np.array(self.size),
        )


@cache
def load_background(path: Path = BACKGROUND_FILE) -> Background:
    """Read a background.

    Raises:
        ArtifactError: the file is missing or is not a background.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Background(
                query_mean=arrays["query_mean"],
                description_mean=arrays["description_mean"],
                document_frequency=dict(
                    zip(arrays["terms"].tolist(), arrays["frequencies"].tolist(), strict=True)
                ),
                size=int(arrays["size"]),
            )
    except (OSError, KeyError, ValueError) as error:
        raise ArtifactError(
            f"cannot read the zero-shot background {str(path)!r}: {error}.",
            hint="Make it with `python -m training.background`.",
        ) from error
