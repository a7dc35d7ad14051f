"""Train a causal model on calls: the loss, the steps of one phase, and its checkpoints.

A training that is killed continues from its checkpoint and ends with the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from agents.errors import InputError
from training.causal.call_rows import IGNORED, CallExample, Sampler, collate

Reporter = Callable[[str, int, dict[str, float]], None]
"""Called with phase, step and figures."""


@dataclass(frozen=True)
class LossWeights:
    """Weigh the terms of the loss.

    Attributes:
        token: of the functional token, against the mean loss of the call's text.
        z: of the squared log-partition of the legal logits (ST-MoE's router z-loss, arXiv 2202.08906).
        balance: of the load-balance loss over the batch (Switch Transformer, arXiv 2101.03961).
    """

    token: float = 1.0
    z: float = 0.0
    balance: float = 0.0


def call_loss(
    model: Any, examples: Sequence[CallExample], legal: Sequence[int], weights: LossWeights
) -> Tensor:
    """Return the mean loss of a batch, in nats.

    Args:
        model: a causal model; its output has logits [n, length, vocabulary].
        examples: the batch.
        legal: ids of the functional tokens, `<nexa_end>` last.
        weights: of the terms.
    """
    ids, labels, choice = (part.to(model.device) for part in collate(examples))
    logits = model(ids, use_cache=False).logits.float()
    text = nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2), labels[:, 1:], ignore_index=IGNORED, reduction="sum"
    ) / (labels != IGNORED).sum().clamp(min=1)
    chosen = [row for row, example in enumerate(examples) if example.label >= 0]
    if not chosen:
        return text
    at = logits[chosen, choice[chosen]]
    own = [examples[row] for row in chosen]
    return text + token_loss(at, own, legal, weights)


def token_loss(
    logits: Tensor, examples: Sequence[CallExample], legal: Sequence[int], weights: LossWeights
) -> Tensor:
    """Return the functional token's part of the loss, from logits [n, vocabulary] at its position."""
    labels = torch.tensor([example.label for example in examples], device=logits.device)
    own = torch.tensor([example.weight for example in examples], device=logits.device)
    routing = logits[:, list(legal)]
    # Over the whole vocabulary: the token must also win against text, where no mask holds it.
    gold = torch.tensor(list(legal), device=logits.device)[labels]
    loss = weights.token * (nn.functional.cross_entropy(logits, gold, reduction="none") * own).mean()
    if weights.z:
        loss = loss + weights.z * routing.logsumexp(-1).square().mean()
    if weights.balance:
        probabilities = routing.softmax(-1)
        routed = nn.functional.one_hot(probabilities.argmax(-1), len(legal)).float().mean(0)
        loss = loss + weights.balance * len(legal) * (routed * probabilities.mean(0)).sum()
    return loss


@dataclass(frozen=True)
class Checkpoint:
    """Store the state of a training in one file, which is replaced as a whole.

    Attributes:
        path: of the file.
        fingerprint: hash of everything that the result depends on.
    """

    path: Path
    fingerprint: str

    def load(self) -> dict[str, Any] | None:
        """Return the last state, if there is one.

        Raises:
            InputError: it belongs to another training.
        """
        if not self.path.is_file():
            return None
        state: dict[str, Any] = torch.load(self.path, weights_only=True)
        if state["fingerprint"] != self.fingerprint:
            raise InputError(
                f"{self.path}: a training with other rows or settings was interrupted here.",
                hint="Finish it with the same command, delete the file, or choose another --out.",
            )
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replace the last state."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".new")
        torch.save(state | {"fingerprint": self.fingerprint}, unfinished)
        unfinished.replace(self.path)

    def remove(self) -> None:
        """Delete the state; the training is complete."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Phase:
    """Describe one phase of a training.

    Attributes:
        name: in reports and checkpoints.
        steps: number of batches.
        learning_rate: at its peak, after the warm-up; in the second half it falls to a twentieth.
        check_every, save_every: steps between measurements and between checkpoints.
    """

    name: str
    steps: int
    learning_rate: float
    warm_up: int = 50
    check_every: int = 200
    save_every: int = 200

    def rate(self, step: int) -> float:
        """Return the learning rate of `step`, counted from 0."""
        if step < self.warm_up:
            return self.learning_rate * (step + 1) / self.warm_up
        falling = max(0.0, 2 * step / self.steps - 1)
        return self.learning_rate * (0.05 + 0.95 * (1 + math.cos(math.pi * falling)) / 2)


@dataclass
class CallTrainer:
    """Train the parameters of `model` that require a gradient.

    Attributes:
        measure: returns figures on held-out rows.
        report: called with each measurement.
        advance: called with the share of the phase that each step takes.
    """

    model: Any
    sampler: Sampler
    weights: LossWeights
    checkpoint: Checkpoint
    measure: Callable[[], dict[str, float]]
    report: Reporter
    advance: Callable[[float], None]

    def train(self, phase: Phase, legal: Sequence[int]) -> list[dict[str, float]]:
        """Run the phase from its last checkpoint to its end; return the measurements in order."""
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
