"""Train a master's functional tokens on (query, node) rows.

    octopus train router --graph G --rows rows.jsonl.gz --out DIR [--adapter]
    octopus train router --graph G --rows rows.jsonl.gz --out DIR/languages --languages [--adapter]

The second command trains what reads other languages (extra `languages`), beside the artifact in DIR.
Without `--adapter` only the head is trained, in minutes on a CPU and without torch; the encoder stays as it
is. With it, the encoder's upper layers are trained together with the head (extra `train`). Either way the
head is calibrated on rows that its model did not see, and the manifest is written last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agents.errors import InputError
from agents.octopus.calibration import (
    expected_calibration_error,
    fit_temperature,
    fit_threshold,
    grouped_softmax,
)
from agents.octopus.embedding import Encoder, MultilingualEncoder
from agents.octopus.encoder.artifact import Artifact, MasterManifest, TrainedMaster, save_artifact
from agents.octopus.encoder.lexical import Lexical
from agents.types import NodeName
from training.linear import Floats, LinearHead, train_head
from training.provenance import versions
from training.router.lexical import HeldOut, train_lexical
from training.rows.labelled_rows import Labelled, RouterRow, fold_of

Progress = Callable[[float], None]


@dataclass(frozen=True)
class RouterSettings:
    """Set the hyper-parameters; the defaults were chosen by cross-validation on training rows.

    Attributes:
        folds: of the cross-validation.
        penalty: L2 on the token vectors.
        adapter: whether to train the encoder's upper layers too.
        adapter_folds: in how many of the folds an adapter is trained to calibrate; each costs a training.
        epochs: of the adapter.
        public_weights: folder of the public encoder's weights, for the adapter.
        languages: whether to train on the multilingual encoder.
        seed: for folds, shuffling and initial weights.
    """

    folds: int = 5
    penalty: float = 0.02
    adapter: bool = False
    adapter_folds: int = 1
    epochs: int = 4
    public_weights: Path | None = None
    languages: bool = False
    seed: int = 0

    @property
    def measured_folds(self) -> int:
        """Return in how many folds rows are held out and scored."""
        return self.adapter_folds if self.adapter else self.folds

    @property
    def trainings(self) -> int:
        """Return how many trainings there are: one for each of those folds, and one on all rows."""
        return self.measured_folds + 1


def train_router(
    rows: Sequence[RouterRow],
    *,
    master: NodeName,
    graph: str,
    spec_hash: str,
    out: Path,
    settings: RouterSettings,
    start: Artifact | None = None,
    progress: Progress = lambda step: None,
) -> dict[str, float]:
    """Train, calibrate and save an artifact to `out`; return the metrics of its manifest.

    Args:
        rows: the training rows.
        master: the node whose neighbours the rows name.
        graph: the graph's name.
        spec_hash: hash of the spec, kept in the manifest.
        out: the artifact's folder.
        settings: hyper-parameters.
        start: an artifact to continue from: its upper layers are kept and the head stays near its head.
        progress: called with the work just done, in units of one training.

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
    trainer = _trainer(data, settings, out, start, master)
    logits, gold = _held_out_logits(trainer, data, folds, settings, progress)
    head = trainer.train(range(len(rows)), save=True, progress=progress)
    part = _calibrated(head, data, np.concatenate(logits), np.concatenate(gold))
    if settings.languages:
        part = replace(part, lexical=_lexical(part, data, folds, logits))
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
        versions=versions("numpy", "octopus-graph"),
    )
    return part.manifest.metrics


class Trainer(Protocol):
    """Train heads on some of the rows, and score others with them."""

    def train(self, indices: Sequence[int], *, save: bool = False, progress: Progress) -> LinearHead:
        """Train on the rows at `indices`; `save` keeps what the artifact needs besides the head."""
        ...

    def logits(self, head: LinearHead, indices: Sequence[int]) -> tuple[Floats, NDArray[np.int64]]:
        """Return logits [m, facets] of all forms of the rows at `indices`, and the row of each."""
        ...


def _trainer(
    data: Labelled, settings: RouterSettings, out: Path, start: Artifact | None, master: NodeName
) -> Trainer:
    if not settings.adapter:
        return HeadTrainer(data, settings, start, master)
    try:  # torch is imported only where it is needed
        from training.router.adapter import Adaptable, AdaptedTrainer, AdapterSettings
        from training.router.encoder import find_public_weights
    except ModuleNotFoundError as error:
        raise InputError("an adapter needs the extra `train`.", hint="pip install -e '.[train]'") from error
    wanted = AdapterSettings(epochs=settings.epochs, seed=settings.seed)
    if settings.languages:
        return AdaptedTrainer(data, Adaptable.multilingual(wanted), out)
    return AdaptedTrainer(
        data, Adaptable.english(settings.public_weights or find_public_weights(), wanted), out
    )


class HeadTrainer:
    """Train heads on embeddings that are computed once."""

    def __init__(
        self, data: Labelled, settings: RouterSettings, start: Artifact | None, master: NodeName
    ) -> None:
        texts = [text for row in data.rows for text in row.texts]
        owners = [k for k, row in enumerate(data.rows) for _ in row.texts]
        encoder = MultilingualEncoder() if settings.languages else Encoder()
        self._inputs = encoder.embed(texts, top=start.top if start else None)
        self._row = np.asarray(owners, dtype=np.int64)
        self._data = data
        self._penalty = settings.penalty
        self._start = (
            _padded(start.masters[master], len(data.facets)) if start and master in start.masters else None
        )

    def train(self, indices: Sequence[int], *, save: bool = False, progress: Progress) -> LinearHead:
        """Train a head on the rows at `indices`, in all their forms."""
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
        progress(1.0)
        return head

    def logits(self, head: LinearHead, indices: Sequence[int]) -> tuple[Floats, NDArray[np.int64]]:
        """Return logits [m, facets] of all forms of the rows at `indices`, and the row of each."""
        chosen = np.isin(self._row, list(indices))
        return head.logits(self._inputs[chosen]), self._row[chosen]


def _padded(part: TrainedMaster, facets: int) -> LinearHead:
    """Extend a trained head by rows of zeros for facets that it does not know."""
    missing = facets - len(part.bias)
    vectors = np.pad(part.vectors.astype(np.float64), ((0, missing), (0, 0)))
    return LinearHead(vectors, np.pad(part.bias.astype(np.float64), (0, missing)))


def _held_out_logits(
    trainer: Trainer, data: Labelled, folds: NDArray[np.int64], settings: RouterSettings, progress: Progress
) -> tuple[list[Floats], list[NDArray[np.int64]]]:
    """Score measured rows with heads that did not see them.

    Returns:
        Of each fold the logits, and the index of the right node in `data.nodes`.
    """
    logits, gold = [], []
    for fold in range(settings.measured_folds):
        seen = np.flatnonzero(folds != fold).tolist()
        head = trainer.train(seen, progress=progress)
        found, row = trainer.logits(head, np.flatnonzero(folds == fold).tolist())
        logits.append(found)
        gold.append(data.owner[data.labels[row]])
    return logits, gold


def _lexical(
    part: TrainedMaster, data: Labelled, folds: NDArray[np.int64], logits: Sequence[Floats]
) -> Lexical | None:
    """Train the words that stand beside the head."""
    nodes, temperature = len(data.nodes), part.manifest.temperature
    held_out = [
        HeldOut(
            fold,
            np.flatnonzero(folds == fold).tolist(),
            grouped_softmax(found, data.owner, nodes, temperature),
        )
        for fold, found in enumerate(logits)
    ]
    return train_lexical(data, folds, held_out)


def _calibrated(head: LinearHead, data: Labelled, logits: Floats, gold: NDArray[np.int64]) -> TrainedMaster:
    """Fit temperature and threshold to held-out logits."""
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
