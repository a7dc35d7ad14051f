"""Score one query vector against the neighbours' functional tokens → probabilities, "none of them" last."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from agents.errors import ArtifactError
from agents.octopus.calibration import grouped_softmax, softmax
from agents.octopus.encoder.artifact import ARTIFACTS, TrainedMaster
from agents.octopus.encoder.background import BACKGROUND, MAPS, Maps, load_background, load_maps
from agents.octopus.encoder.zero_shot import LEXICAL_WEIGHT, Candidate, Embed, ZeroShotHead, describe


class Head(Protocol):
    """Turn a query into probabilities for an encoder Octopus.

    Attributes:
        calibrated: whether a temperature was fitted on held-out rows.
        threshold: probability of the best neighbour below which the cascade takes over.
        abstain: probability of "none of them" above which the Octopus abstains.
    """

    @property
    def calibrated(self) -> bool: ...  # noqa: D102 - above

    @property
    def threshold(self) -> float: ...  # noqa: D102

    @property
    def abstain(self) -> float: ...  # noqa: D102

    def probabilities(self, text: str, vector: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return [n + 1] probabilities of the n neighbours and, last, that none of them fits."""
        ...


_VERSION = "3"  # of what a zero-shot head is computed from; raise it when zero-shot scoring changes
# Of so many neighbours, the probability of none that 1 % of fitting queries of training/text/tools.jsonl
# exceed: among many neighbours some one is always near.
_SIZES = (1, 4, 17, 64, 295)
_ABSTAIN = (0.94, 0.90, 0.81, 0.73, 0.60)


@dataclass(frozen=True)
class Untrained:
    """Score by docstrings and examples: any graph routes at once; `lexical` as in `ZeroShotHead.scores`."""

    head: ZeroShotHead
    threshold: float = 0.0
    abstain: float = 0.9
    calibrated: bool = False
    lexical: float = LEXICAL_WEIGHT

    @classmethod
    def of(cls, head: ZeroShotHead, lexical: float = LEXICAL_WEIGHT) -> Self:
        """Build a head that abstains where its number of neighbours asks for it."""
        neighbours = np.log(len(head.vectors))
        abstain = float(np.interp(neighbours, np.log(_SIZES), _ABSTAIN))
        return cls(head, abstain=abstain, lexical=lexical)

    def probabilities(self, text: str, vector: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the softmax over the neighbours, times the probability that any of them fits."""
        scores = self.head.scores(text, vector, self.lexical)
        return np.append(softmax(scores.logits) * scores.fit, 1 - scores.fit)


@dataclass(frozen=True)
class Trained:
    """Score by what was trained.

    Attributes:
        vectors: [facets, d].
        bias: [facets].
        owner: [facets], the neighbour of each facet; `neighbours` stands for none of them.
        neighbours: how many there are.
    """

    vectors: NDArray[np.float32]
    bias: NDArray[np.float32]
    owner: NDArray[np.int64]
    neighbours: int
    temperature: float
    threshold: float
    abstain: float = 0.5
    calibrated: bool = True

    def probabilities(self, text: str, vector: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the softmax over all facets, summed for each neighbour."""
        logits = self.vectors @ vector + self.bias
        grouped = grouped_softmax(logits, self.owner, self.neighbours + 1, self.temperature)
        return np.asarray(grouped[0], dtype=np.float64)


def blended(heads: Sequence[NDArray[np.float64]], shares: Sequence[float]) -> NDArray[np.float64]:
    """Return the weighted geometric mean of heads' [n + 1] probabilities, that of none arithmetic."""
    none = sum(share * float(head[-1]) for head, share in zip(heads, shares, strict=True))
    logarithms = [share * np.log(head[:-1] + 1e-4) for head, share in zip(heads, shares, strict=True)]
    return np.append(softmax(np.sum(logarithms, axis=0)) * (1 - none), none)


def trained_head(part: TrainedMaster, candidates: Sequence[Candidate], embed: Embed) -> Trained:
    """Return the artifact's head for the neighbours that are there; new ones speak by their docstrings.

    Args:
        part: the master's part of the artifact.
        candidates: the neighbours, in the spec's order.
        embed: the encoder with the artifact's upper layers.

    Raises:
        ArtifactError: the artifact knows none of the neighbours.
    """
    place = {candidate.name: k for k, candidate in enumerate(candidates)}
    known = [name for name, _ in part.manifest.facets if name in place]
    if not known:
        raise ArtifactError(
            "the artifact was trained for other neighbours.", hint="Train it again for this graph."
        )
    kept = [k for k, (name, _) in enumerate(part.manifest.facets) if name is None or name in place]
    none = len(candidates)
    owner = [none if name is None else place[name] for name, _ in (part.manifest.facets[k] for k in kept)]
    new = [candidate for candidate in candidates if candidate.name not in set(known)]
    vectors, bias = part.vectors[kept], part.bias[kept]
    if new:
        vectors = np.concatenate([vectors, _new_tokens(new, candidates, vectors, embed)])
        bias = np.concatenate([bias, np.full(len(new), bias.mean(), dtype=np.float32)])
        owner += [place[candidate.name] for candidate in new]
    return Trained(
        vectors=vectors.astype(np.float32),
        bias=bias.astype(np.float32),
        owner=np.asarray(owner, dtype=np.int64),
        neighbours=len(candidates),
        temperature=part.manifest.temperature,
        threshold=part.manifest.threshold,
        calibrated=not new,
    )


def _new_tokens(
    new: Sequence[Candidate], candidates: Sequence[Candidate], vectors: NDArray[np.float32], embed: Embed
) -> NDArray[np.float32]:
    """Return token vectors for neighbours that the artifact has not seen, as long as the trained ones.

    The direction is where their texts lie, relative to the middle of all neighbours' texts.
    """
    middle = describe(candidates, embed).mean(axis=0)
    direction = describe(new, embed) - middle
    examples = [embed(c.examples).mean(axis=0) - middle if c.examples else 0 * middle for c in new]
    direction = direction + np.stack(examples)
    length = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).mean()
    direction = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-12)
    return np.asarray(direction * length + vectors.mean(axis=0), dtype=np.float32)


class HeadCache:
    """Keep zero-shot heads between runs: embedding docstrings is the slowest part of starting.

    A head is a file named by a hash of the neighbours' texts; it may be deleted at any time.

    Args:
        folder: where the files go. A folder that cannot be written only costs time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build(self, candidates: Sequence[Candidate], embed: Embed, part: Path = ARTIFACTS) -> ZeroShotHead:
        """Return the head of `candidates`, read from the cache or computed and kept.

        Args:
            candidates: the neighbours.
            embed: the encoder.
            part: folder of the background and the maps for that encoder.
        """
        described = json.dumps([_VERSION, part.name, [asdict(candidate) for candidate in candidates]])
        path = self._folder / f"head-{hashlib.sha256(described.encode()).hexdigest()[:32]}.npz"
        maps = load_maps(part / MAPS)
        if (cached := _read(path, maps)) is not None:
            return cached
        head = ZeroShotHead.build(candidates, embed, load_background(part / BACKGROUND), maps)
        with contextlib.suppress(OSError):
            _write(path, head)
        return head


def _read(path: Path, maps: Maps) -> ZeroShotHead | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return ZeroShotHead.from_arrays(dict(arrays), maps)
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, ArtifactError):
        return None  # absent or damaged: it is computed again


def _write(path: Path, head: ZeroShotHead) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez(file, **head.to_arrays())  # type: ignore[arg-type]
    Path(file.name).replace(path)  # two processes may write the same head at once
