"""One phase of training on calls: steps, measurements, and going on after a kill with the same numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from training.causal.call_loss import LossWeights, call_loss
from training.causal.call_rows import Sampler
from training.causal.checkpoint import Checkpoint

Measure = Callable[[], dict[str, float]]
Report = Callable[[str, int, dict[str, float]], None]
"""Called with phase, step and figures."""


@dataclass(frozen=True)
class Phase:
    """What is trained for how long.

    Attributes:
        name: in reports and checkpoints.
        steps: batches.
        learning_rate: at its height, after the warm-up; in the second half it falls to a twentieth.
        check_every, save_every: steps between measurements and between checkpoints.
    """

    name: str
    steps: int
    learning_rate: float
    warm_up: int = 50
    check_every: int = 200
    save_every: int = 200

    def rate(self, step: int) -> float:
        """The learning rate of `step`, counted from 0."""
        if step < self.warm_up:
            return self.learning_rate * (step + 1) / self.warm_up
        falling = max(0.0, 2 * step / self.steps - 1)
        return self.learning_rate * (0.05 + 0.95 * (1 + math.cos(math.pi * falling)) / 2)


@dataclass
class CallTrainer:
    """Trains what requires a gradient in `model`.

    Attributes:
        measure: figures on held-out rows.
        report: told of each measurement.
        advance: told the share of the phase that each step is.
    """

    model: Any
    sampler: Sampler
    weights: LossWeights
    checkpoint: Checkpoint
    measure: Measure
    report: Report
    advance: Callable[[float], None]

    def train(self, phase: Phase, legal: Sequence[int]) -> list[dict[str, float]]:
        """Run the phase from its last checkpoint to its end; returns the measurements in order."""
        trained = {name: own for name, own in self.model.named_parameters() if own.requires_grad}
        optimizer = torch.optim.AdamW(trained.values(), lr=phase.learning_rate, betas=(0.9, 0.98))
        start, history = self._resumed(phase, trained, optimizer)
        for step in range(start, phase.steps):
            if step % phase.save_every == 0 and step > start:
                self._save(phase, step, trained, optimizer, history)
            loss = self._step(optimizer, phase.rate(step), step, legal)
            self.advance(1 / phase.steps)
            if (step + 1) % phase.check_every == 0 or step + 1 == phase.steps:
                self.model.eval()
                figures = {"step": step + 1.0, "loss": round(loss, 4)} | self.measure()
                history.append(figures)
                self.report(phase.name, step + 1, figures)
        return history

    def _step(self, optimizer: Any, rate: float, step: int, legal: Sequence[int]) -> float:
        self.model.train()
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = call_loss(self.model, self.sampler.examples(step), legal, self.weights)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        optimizer.step()
        return float(loss.detach())

    def _resumed(self, phase: Phase, trained: Any, optimizer: Any) -> tuple[int, list[dict[str, float]]]:
        state = self.checkpoint.load()
        if state is None or state["phase"] != phase.name:
            return 0, []
        with torch.no_grad():
            for name, own in trained.items():
                own.copy_(state["trained"][name])
        optimizer.load_state_dict(state["optimizer"])
        self.advance(state["step"] / phase.steps)
        return state["step"], state["history"]

    def _save(self, phase: Phase, step: int, trained: Any, optimizer: Any, history: Any) -> None:
        self.checkpoint.save(
            {
                "phase": phase.name,
                "step": step,
                "trained": {name: own.detach() for name, own in trained.items()},
                "optimizer": optimizer.state_dict(),
                "history": history,
            }
        )
