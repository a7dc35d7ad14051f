"""Store what queries and neighbours look like in general: what zero-shot routing centres on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.errors import ArtifactError

BACKGROUND, MAPS = "background.npz", "zero_shot_maps.npz"
BACKGROUND_FILE = Path(__file__).parent.parent / "artifacts" / BACKGROUND
MAPS_FILE = Path(__file__).parent.parent / "artifacts" / MAPS


@dataclass(frozen=True, slots=True)
class Background:
    """Hold what training/router/zero_shot.py made from texts over many domains.

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


@dataclass(frozen=True, slots=True)
class Maps:
    """Hold linear maps that bring queries nearer to descriptions, from training/router/zero_shot.py.

    Attributes:
        query, description: [d, d]; what is added to a vector x is x @ map.
        slope, bias: of the logistic regression of "fits" on the best neighbour's cosine.
    """

    query: NDArray[np.float32]
    description: NDArray[np.float32]
    slope: float
    bias: float

    def save(self, path: Path) -> None:
        """Write to `path` (.npz), the maps in half precision."""
        np.savez_compressed(
            path,
            query=self.query.astype(np.float16),
            description=self.description.astype(np.float16),
            fit=np.array([self.slope, self.bias]),
        )


@cache
def load_background(path: Path = BACKGROUND_FILE) -> Background:
    """Read a background.

    Raises:
        ArtifactError: the file is missing or is not a background.
    """
    with _arrays(path, "background") as arrays:
        counts = zip(arrays["terms"].tolist(), arrays["frequencies"].tolist(), strict=True)
        means = arrays["query_mean"], arrays["description_mean"]
        return Background(*means, dict(counts), int(arrays["size"]))


@cache
def load_maps(path: Path = MAPS_FILE) -> Maps:
    """Read the maps.

    Raises:
        ArtifactError: the file is missing or does not hold maps.
    """
    with _arrays(path, "maps") as arrays:
        query, description = (arrays[name].astype(np.float32) for name in ("query", "description"))
        slope, bias = map(float, arrays["fit"])
        return Maps(query, description, slope, bias)


@contextmanager
def _arrays(path: Path, what: str) -> Iterator[Mapping[str, NDArray[Any]]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except (OSError, KeyError, ValueError) as error:
        raise ArtifactError(
            f"cannot read the zero-shot {what} {str(path)!r}: {error}.",
            hint=f"Make it with `python -m training.router.zero_shot {what}`.",
        ) from error
