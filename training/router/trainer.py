"""Train a master's functional tokens on (query, node) rows.

    octopus train router --graph G --rows rows.jsonl.gz --out DIR [--adapter]

Without `--adapter`: minutes on a CPU, no torch; the encoder stays as it is and only the head is trained.
With it, the encoder's upper layers are trained together with the head (extra `train`). Either way the head is
calibrated on rows that its model did not see, and the manifest is written last.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.errors import InputError
from agents.octopus.calibration import (
    expected_calibration_error,
    fit_temperature,
    fit_threshold,
    grouped_softmax,
)
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.artifact import Artifact, MasterManifest, TrainedMaster, save_artifact
from agents.types import NodeName
from training.router.head import LinearHead, train_head
from training.rows.labelled_rows import RouterRow

Facet = tuple[NodeName | None, str]
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class RouterSettings:
    """Hyper-parameters, chosen by cross-validation on training rows.

    Attributes:
        folds: of the cross-validation.
        penalty: L2 on the token vectors.
        adapter: train the encoder's upper layers too.
        adapter_folds: how many of the folds an adapter is trained for, to calibrate; each costs a training.
        epochs: of the adapter.
        public_weights: folder of the public encoder's weights, for the adapter.
        seed: of folds, shuffling and initial weights.
    """

    folds: int = 5
    penalty: float = 0.02
    adapter: bool = False
    adapter_folds: int = 1
    epochs: int = 4
    public_weights: Path | None = None
    seed: int = 0


@dataclass(frozen=True)
class Labelled:
    """Rows with the facet of each."""

    rows: Sequence[RouterRow]
    facets: Sequence[Facet]
    labels: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[RouterRow], known: Sequence[Facet] = ()) -> Labelled:
        """Number the facets of `rows`; those `known` come first."""
        found = {(None if row.node is None else NodeName(row.node), row.facet) for row in rows} - set(known)
        facets = [*known, *sorted(found, key=lambda facet: (facet[0] is None, facet[0] or "", facet[1]))]
        place = {facet: k for k, facet in enumerate(facets)}
        labels = [place[(None if row.node is None else NodeName(row.node), row.facet)] for row in rows]
        return cls(rows, facets, np.asarray(labels, dtype=np.int64))

    @property
    def nodes(self) -> list[NodeName | None]:
        """The nodes of the facets, without repetition."""
        return list(dict.fromkeys(node for node, _ in self.facets))

    @property
    def owner(self) -> NDArray[np.int64]:
        """[facets]: the place of each facet's node in `nodes`."""
        place = {node: k for k, node in enumerate(self.nodes)}
        return np.asarray([place[node] for node, _ in self.facets], dtype=np.int64)

    def pick(self, indices: Sequence[int]) -> Labelled:
        """Some of the rows, with the same facets."""
        return Labelled([self.rows[k] for k in indices], self.facets, self.labels[list(indices)])


def fold_of(rows: Sequence[RouterRow], folds: int, seed: int) -> NDArray[np.int64]:
    """[n]: the fold that each measured row is held out in; -1 for rows that only support."""
    measured = [k for k, row in enumerate(rows) if row.held_out]
    if len(measured) < folds:
        raise InputError(
            f"{len(measured)} rows that may be held out are too few for {folds} folds.",
            hint="Give more rows.",
        )
    place = np.full(len(rows), -1, dtype=np.int64)
    place[np.random.default_rng(seed).permutation(measured)] = np.arange(len(measured)) % folds
    return place


def train_router(
    rows: Sequence[RouterRow],
    *,
    master: NodeName,
    graph: str,
    spec_hash: str,
    out: Path,
    settings: RouterSettings,
    start: Artifact | None = None,
    progress: Progress = lambda what, step: None,
) -> dict[str, float]:
    """Train, calibrate and save an artifact to `out`; returns the metrics of its manifest.

    Args:
        rows: the training rows.
        master: whose neighbours the rows name.
        graph: the graph's name.
        spec_hash: of the spec, kept in the manifest.
        out: the artifact's folder.
        settings: hyper-parameters.
        start: an artifact to go on from: its upper layers are kept and the head stays near its head.
        progress: called with what is done and by how much it went on, in units of one training.

    Raises:
        InputError: too few rows, or all for one node.
    """
    known = start.masters[master].manifest.facets if start and master in start.masters else []
    data = Labelled.of(rows, known)
    if len(data.nodes) < 2:
        raise InputError(
            f"all rows are for {data.nodes[0]!r}.", hint="Give rows for at least two neighbours."
        )
    folds = fold_of(rows, settings.folds, settings.seed)
    if settings.adapter:
        from training.router.adapted_router import AdaptedTrainer

        trainer: Any = AdaptedTrainer(data, settings, out)
    else:
        trainer = HeadTrainer(data, settings, start, master)
    logits, gold = _held_out_logits(trainer, data, folds, settings, progress)
    head: LinearHead = trainer.train(range(len(rows)), save=True, progress=lambda s: progress("training", s))
    part = _calibrated(head, data, logits, gold)
    save_artifact(
        out,
        graph=graph,
        spec_hash=spec_hash,
        masters={master: part},
        training={
            "rows": len(rows),
            "measured_rows": int((folds >= 0).sum()),
            "seed": settings.seed,
            "adapter": settings.adapter,
            "epochs": settings.epochs if settings.adapter else 0,
            "penalty": 0 if settings.adapter else settings.penalty,
            "continued_from": start.manifest.spec_hash if start else None,
        },
        versions={
            "python": platform.python_version(),
            "numpy": np.__version__,
            "octopus-graph": package_version("octopus-graph"),
        },
    )
    return part.manifest.metrics


def package_version(package: str) -> str:
    """The installed version of `package`, or that it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


class HeadTrainer:
    """Trains heads on embeddings that are computed once."""

    def __init__(
        self, data: Labelled, settings: RouterSettings, start: Artifact | None, master: NodeName
    ) -> None:
        texts = [text for row in data.rows for text in row.texts]
        owners = [k for k, row in enumerate(data.rows) for _ in row.texts]
        self._inputs = Encoder().embed(texts, top=start.top if start else None)
        self._row = np.asarray(owners, dtype=np.int64)
        self._data = data
        self._penalty = settings.penalty
        self._start = (
            _padded(start.masters[master], len(data.facets)) if start and master in start.masters else None
        )

    def train(self, indices: Sequence[int], *, save: bool = False, progress: Any = None) -> LinearHead:
        """A head from the rows at `indices`, in all their forms."""
        chosen = np.isin(self._row, list(indices))
        rows = self._row[chosen]
        weights = np.asarray([self._data.rows[k].weight for k in rows])
        head = train_head(
            self._inputs[chosen],
            self._data.labels[rows],
            weights,
            len(self._data.facets),
            penalty=self._penalty,
            start=self._start,
        )
        if progress:
            progress(1.0)
        return head

    def logits(
        self, head: LinearHead, indices: Sequence[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Logits [m, facets] of all forms of the rows at `indices`, and the row of each."""
        chosen = np.isin(self._row, list(indices))
        return head.logits(self._inputs[chosen]), self._row[chosen]


def _padded(part: TrainedMaster, facets: int) -> LinearHead:
    """A trained head with rows of zeros for facets that it does not know."""
    missing = facets - len(part.bias)
    vectors = np.pad(part.vectors.astype(np.float64), ((0, missing), (0, 0)))
    return LinearHead(vectors, np.pad(part.bias.astype(np.float64), (0, missing)))


def _held_out_logits(
    trainer: Any, data: Labelled, folds: NDArray[np.int64], settings: RouterSettings, progress: Progress
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits of measured rows by heads that did not see them, with the right node's place in `data.nodes`."""
    logits, gold = [], []
    for fold in range(settings.adapter_folds if settings.adapter else settings.folds):
        seen = np.flatnonzero(folds != fold).tolist()
        head = trainer.train(seen, progress=lambda step: progress("cross-validation", step))
        found, row = trainer.logits(head, np.flatnonzero(folds == fold).tolist())
        logits.append(found)
        gold.append(data.owner[data.labels[row]])
    return np.concatenate(logits), np.concatenate(gold)


def _calibrated(
    head: LinearHead, data: Labelled, logits: NDArray[np.float64], gold: NDArray[np.int64]
) -> TrainedMaster:
    nodes = len(data.nodes)
    temperature = fit_temperature(logits, data.owner, nodes, gold)
    before = grouped_softmax(logits, data.owner, nodes, 1.0)
    after = grouped_softmax(logits, data.owner, nodes, temperature)
    right = after.argmax(axis=1) == gold
    metrics = {
        "accuracy": float(right.mean()),
        "macro_accuracy": float(np.mean([right[gold == k].mean() for k in np.unique(gold)])),
        "ece_before": expected_calibration_error(before, gold),
        "ece_after": expected_calibration_error(after, gold),
        "held_out_texts": float(len(gold)),
    }
    manifest = MasterManifest(
        facets=list(data.facets),
        temperature=temperature,
        threshold=fit_threshold(after, gold),
        metrics={name: round(value, 4) for name, value in metrics.items()},
    )
    return TrainedMaster(head.vectors.astype(np.float32), head.bias.astype(np.float32), manifest)
