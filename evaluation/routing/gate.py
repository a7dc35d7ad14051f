"""Replace the current router by a new one that is better on rows that neither saw."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agents.octopus.encoder.octopus import EncoderOctopus
from evaluation.report import Interval, paired_gain
from evaluation.routing.metrics import decide_each
from training.rows.labelled_rows import RouterRow


@dataclass(frozen=True, slots=True)
class GateResult:
    """Hold the accuracies of both on the gate, and the gain of the new one."""

    rows: int
    current: float
    candidate: float
    gain: Interval

    @property
    def passed(self) -> bool:
        """Return whether the candidate is better beyond chance: its gain's interval lies above 0."""
        return self.gain.low > 0


def through_the_gate(
    current: EncoderOctopus, candidate: EncoderOctopus, rows: Sequence[RouterRow], *, seed: int = 0
) -> GateResult:
    """Compare two routers of a node on `rows`; to abstain is right on a row without node."""
    before, after = (
        np.array([route.node == row.node for row, route in zip(rows, decided, strict=True)])
        for decided in (
            decide_each(octopus, [[row.query] for row in rows]) for octopus in (current, candidate)
        )
    )
    gain = paired_gain(after, before, seed=seed)
    return GateResult(len(rows), float(before.mean()), float(after.mean()), gain)


def promote(candidate: Path, target: Path) -> None:
    """Move the artifact `target` to `NAME.previous`, and copy `candidate` to its place."""
    fresh, previous = (target.with_name(f"{target.name}.{suffix}") for suffix in ("new", "previous"))
    shutil.rmtree(fresh, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(candidate, fresh)
    if target.exists():
        shutil.rmtree(previous, ignore_errors=True)
        target.rename(previous)
    fresh.rename(target)
