"""Measure what class weights, z-loss and load-balance loss do to an adapter that learns from skewed rows.

A tiny base that knows one routing node gets adapters for another one, whose neighbours are the same and whose
functional tokens are not, so that the adapter has to learn what each token means. The rows for it are skewed:
each neighbour has half as many as the one before. The adapters are measured on
equally many rows of each neighbour, from templates that no training used.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agents.octopus.calibration import expected_calibration_error, softmax
from agents.octopus.causal.manifest import read_manifest
from agents.octopus.tokens import slot_token
from agents.types import Edge, NodeName
from evaluation.report import Advance, Report, no_progress, plain, share, tabulate
from training.causal.artifact import CallScores, score_calls, serving
from training.causal.call_rows import Master
from training.causal.call_trainer import Checkpoint, LossWeights, Phase
from training.causal.functional_tokens import BASE, FunctionalSettings, Training
from training.rows.labelled_rows import RouterRow
from training.rows.template_rows import load_templates, template_rows

_ROWS, _MEASURED, _LEAST = 4000, 400, 6
_RARE = 3  # neighbours

VARIANTS: Mapping[str, FunctionalSettings] = {
    "none of them": FunctionalSettings(),
    "class weights 0.5": FunctionalSettings(balance_classes=0.5),
    "class weights 1": FunctionalSettings(balance_classes=1.0),
    "z-loss 0.001": FunctionalSettings(loss=LossWeights(z=0.001)),
    "z-loss 0.01": FunctionalSettings(loss=LossWeights(z=0.01)),
    "load balance 0.01": FunctionalSettings(loss=LossWeights(balance=0.01)),
    "load balance 0.1": FunctionalSettings(loss=LossWeights(balance=0.1)),
}


@dataclass(frozen=True, slots=True)
class LossEffect:
    """Hold figures of one adapter on balanced rows.

    Attributes:
        route: share of right routes.
        rare: the same for the rows of the rarest neighbours.
        most: share of the rows that the neighbour with the most of them gets; 1/8 is even.
        partition: mean absolute log-partition of the legal logits, which the z-loss keeps small.
        ece: expected calibration error, 15 bins, before any temperature.
    """

    route: float
    rare: float
    most: float
    partition: float
    ece: float

    @classmethod
    def of(cls, scores: CallScores, rare: Sequence[int]) -> LossEffect:
        """Return the figures of logits and right places; `rare` are the places of the rarest."""
        chosen = scores.logits.argmax(axis=1)
        right, few = chosen == scores.gold, np.isin(scores.gold, rare)
        partition = np.logaddexp.reduce(scores.logits, axis=1)
        return cls(
            route=float(right.mean()),
            rare=float(right[few].mean()),
            most=float(np.bincount(chosen).max() / len(chosen)),
            partition=float(np.abs(partition).mean()),
            ece=expected_calibration_error(softmax(scores.logits), scores.gold),
        )


def skewed_rows(nodes: Sequence[NodeName], *, seed: int) -> list[RouterRow]:
    """Return made-up rows, half as many of each node as of the one before it, and at least a few."""
    rows = template_rows(_ROWS, seed=seed)
    most = min(Counter(row.node for row in rows).values())
    left: dict[str, int] = {node: max(_LEAST, most // 2**place) for place, node in enumerate(nodes)}
    found = []
    for row in rows:
        if row.node is not None and left[row.node] > 0:
            left[row.node] -= 1
            found.append(row)
    return found


def evaluate_causal_losses(
    artifact: Path,
    *,
    variants: Mapping[str, FunctionalSettings] = VARIANTS,
    seeds: int = 3,
    steps: int = 150,
    advance: Advance = no_progress,
) -> Report:
    """Train adapters of every variant on the base of `artifact`, made by `--tiny` for the graph `subjects`.

    Args:
        artifact: its folder; nothing in it is changed.
        variants: settings by name.
        seeds: adapters of each variant, with rows and order of their own.
        steps: batches for an adapter.
        advance: called with shares of all that there is to do.

    Raises:
        ArtifactError: no causal Octopus is there.
    """
    read_manifest(artifact)
    nodes = [NodeName(node) for node in load_templates().nodes]
    part = 1 / (len(variants) * seeds)
    found: dict[str, list[LossEffect]] = {name: [] for name in variants}
    for seed in range(seeds):
        for name, settings in variants.items():
            own = replace(settings, seed=seed, adapter_phase=Phase("adapter", steps, 3e-3, warm_up=10))
            found[name].append(_effect(artifact, nodes, own, lambda share: advance(share * part)))
    columns: dict[str, Callable[[list[LossEffect]], str]] = {
        "right %": lambda own: share(_mean(own, "route")),
        f"right %, {_RARE} rarest": lambda own: share(_mean(own, "rare")),
        "busiest %": lambda own: share(_mean(own, "most")),
        "log-partition": lambda own: f"{_mean(own, 'partition'):.1f}",
        "ECE": lambda own: f"{_mean(own, 'ece'):.3f}",
    }
    figures = {name: [plain(effect) for effect in effects] for name, effects in found.items()}
    return Report("causal-losses", tabulate("loss", found, columns), figures)


def _mean(effects: Sequence[LossEffect], name: str) -> float:
    """Return the mean of a figure over seeds."""
    return float(np.mean([getattr(effect, name) for effect in effects]))


def _effect(
    artifact: Path, nodes: Sequence[NodeName], settings: FunctionalSettings, advance: Advance
) -> LossEffect:
    rows = skewed_rows(nodes, seed=settings.seed)
    held_out = template_rows(_MEASURED, seed=settings.seed, held_out=True)
    edges = {node: Edge(node, slot_token((k + 3) % len(nodes))) for k, node in enumerate(nodes)}
    master = Master(NodeName("other"), edges, "subjects", "")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        (out / BASE).symlink_to((artifact / BASE).resolve())
        checkpoint = Checkpoint(out / "state.pt", "")
        training = Training(rows, held_out, master, out, settings, checkpoint, advance=advance)
        model, prompts = training.base()
        data = training.data(prompts)
        tuned = training.adapter(model, data)
    scores = score_calls(serving(tuned, data), data, held_out, generated=0)
    return LossEffect.of(scores, range(len(nodes) - _RARE, len(nodes)))
