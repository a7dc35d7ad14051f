"""Fine-tune the encoder's upper layers for one graph, together with its functional-token head.

The shared trunk stays frozen: its hidden states are computed once, by the shipped (quantised) trunk that
will also run in production, so that the upper layers learn on exactly what they will be given. That makes
an epoch three times cheaper than fine-tuning all layers, and the adapted encoder no slower than the bare one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.octopus.embedding import Encoder
from training.router.encoder import Top, load_bert
from training.rows.labelled_rows import RouterRow

_POOL = 1024  # examples among which batches of similar length are formed
HEAD_SCALE = 20.0  # unit vectors times this are the head's input; keeps logits in a trainable range


@dataclass(frozen=True)
class AdapterSettings:
    """Hyper-parameters, chosen by cross-validation on the training rows."""

    epochs: int = 4
    learning_rate: float = 2e-4
    head_learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: float = 0.06
    label_smoothing: float = 0.05
    tokens_per_batch: int = 3072
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True)
class Adapter:
    """Trained upper layers with the head that was trained on them.

    Attributes:
        top: the upper layers, in evaluation mode.
        weights: [facets, 384], to be multiplied with unit vectors.
        bias: [facets].
    """

    top: Top
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


def train_adapter(
    rows: Sequence[RouterRow],
    labels: Sequence[int],
    classes: int,
    *,
    weights: Path,
    encoder: Encoder,
    settings: AdapterSettings,
    progress: Callable[[float], None] = lambda done: None,
) -> Adapter:
    """Minimise the weighted cross-entropy of the rows' facets; deterministic for a seed and thread count.

    Args:
        rows: the training rows.
        labels: the facet of each row, in 0..classes-1.
        classes: how many facets there are.
        weights: folder of the public encoder's weights.
        encoder: the shipped encoder, for its trunk.
        settings: hyper-parameters.
        progress: called with the share of steps done, in [0, 1].
    """
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    rng = random.Random(settings.seed)  # noqa: S311 - shuffling
    hidden = [[encoder.hidden(text) for text in row.texts] for row in rows]
    top, head = Top(load_bert(weights, attention="sdpa")), nn.Linear(encoder.dimension, classes)
    groups: list[dict[str, Any]] = [
        {"params": top.parameters()},
        {"params": head.parameters(), "lr": settings.head_learning_rate},
    ]
    optimizer = torch.optim.AdamW(
        groups,
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
    )
    lengths = [[len(states) for states in variants] for variants in hidden]
    epochs = [
        _batches(_examples(rows, lengths, rng), lengths, settings.tokens_per_batch, rng)
        for _ in range(settings.epochs)
    ]
    steps = sum(map(len, epochs))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _warm_up_then_decay(steps, settings.warm_up))
    targets = torch.tensor(labels)
    importance = torch.tensor([row.weight for row in rows])
    top.train()
    for step, batch in enumerate((batch for epoch in epochs for batch in epoch), 1):
        indices = torch.tensor([row for row, _ in batch])
        states, mask = _pad([hidden[row][variant] for row, variant in batch])
        loss = nn.functional.cross_entropy(
            head(top(states, mask) * HEAD_SCALE),
            targets[indices],
            reduction="none",
            label_smoothing=settings.label_smoothing,
        )
        optimizer.zero_grad()
        (loss * importance[indices]).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        progress(step / steps)
    top.eval()
    matrix = head.weight.detach().numpy() * HEAD_SCALE
    return Adapter(top, matrix.astype(np.float32), head.bias.detach().numpy().astype(np.float32))


Example = tuple[int, int]  # (row, variant)


def _examples(
    rows: Sequence[RouterRow], lengths: Sequence[Sequence[int]], rng: random.Random
) -> list[Example]:
    """One epoch: measured rows in all their forms, supporting text in one form at a time."""
    return [
        (index, variant)
        for index, row in enumerate(rows)
        for variant in (range(len(lengths[index])) if row.held_out else [rng.randrange(len(lengths[index]))])
    ]


def _batches(
    examples: list[Example], lengths: Sequence[Sequence[int]], tokens: int, rng: random.Random
) -> list[list[Example]]:
    """Batches of similar length with at most `tokens` padded positions, in random order."""
    rng.shuffle(examples)
    batches: list[list[Example]] = []
    for start in range(0, len(examples), _POOL):
        batch: list[Example] = []
        for row, variant in sorted(examples[start : start + _POOL], key=lambda e: lengths[e[0]][e[1]]):
            if batch and lengths[row][variant] * (len(batch) + 1) > tokens:
                batches.append(batch)
                batch = []
            batch.append((row, variant))
        batches.append(batch)
    rng.shuffle(batches)
    return batches


def _warm_up_then_decay(steps: int, warm_up: float) -> Callable[[int], float]:
    first = max(1, round(steps * warm_up))
    return lambda step: min((step + 1) / first, (steps - step) / max(1, steps - first), 1.0)


def _pad(states: Sequence[NDArray[np.float16]]) -> tuple[Tensor, Tensor]:
    length = max(len(state) for state in states)
    padded = np.zeros((len(states), length, states[0].shape[1]), dtype=np.float32)
    mask = torch.zeros(len(states), length, dtype=torch.long)
    for row, state in enumerate(states):
        padded[row, : len(state)] = state
        mask[row, : len(state)] = 1
    return torch.from_numpy(padded), mask
