"""Fine-tune an encoder's upper layers for one graph, together with its functional-token head.

The shared trunk stays frozen. Its hidden states are computed once, by the shipped (quantised) trunk that also
runs when serving, so that the upper layers learn on exactly what they will be given. An epoch is three times
cheaper than with all layers, and the adapted encoder is no slower than the bare one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.octopus.embedding import Encoder, MultilingualEncoder
from training.linear import Floats, LinearHead
from training.router.encoder import Top, export_top, load_bert
from training.rows.labelled_rows import Labelled, RouterRow

Form = tuple[int, int]  # a row, and which of its texts
_POOL = 1024  # forms among which batches of similar length are made
HEAD_SCALE = 20.0  # unit vectors times this are the head's input; keeps logits in a trainable range


@dataclass(frozen=True)
class AdapterSettings:
    """Set the hyper-parameters; the defaults were chosen by cross-validation on the training rows."""

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
class Adaptable:
    """Say what is adapted.

    Attributes:
        encoder: opens the encoder, whose trunk stays as it is.
        top: makes its public upper layers.
        export: writes upper layers to a file.
        settings: hyper-parameters.
    """

    encoder: Callable[[], Encoder]
    top: Callable[[], nn.Module]
    export: Callable[[nn.Module, Path], None]
    settings: AdapterSettings

    @classmethod
    def english(cls, weights: Path, settings: AdapterSettings) -> Adaptable:
        """Adapt MiniLM, whose public weights are in the folder `weights`."""
        return cls(Encoder, lambda: Top(load_bert(weights, attention="sdpa")), export_top, settings)

    @classmethod
    def multilingual(cls, settings: AdapterSettings) -> Adaptable:
        """Adapt the multilingual encoder, of which a text is one hidden state."""
        from training.router import multilingual

        return cls(
            MultilingualEncoder,
            lambda: multilingual.Top(multilingual.load_weights(), dropout=0.3),
            multilingual.export_multilingual_top,
            replace(settings, tokens_per_batch=128, learning_rate=6e-4, head_learning_rate=3e-3),
        )


class AdaptedTrainer:
    """Train the encoder's upper layers along with each head, and keep them beside it in the artifact.

    Args:
        data: rows with their facets.
        adaptable: the encoder.
        out: the artifact's folder, which gets `top.onnx`.
    """

    def __init__(self, data: Labelled, adaptable: Adaptable, out: Path) -> None:
        self._data = data
        self._adaptable = adaptable
        self._out = out

    def train(
        self, indices: Sequence[int], *, save: bool = False, progress: Callable[[float], None]
    ) -> LinearHead:
        """Train a head, and write its upper layers to `top.onnx`, or to another file if not to be saved."""
        some = self._data.pick(list(indices))
        top, head = train_adapter(some, self._adaptable, progress)
        self._out.mkdir(parents=True, exist_ok=True)
        self._top = self._out / ("top.onnx" if save else "held_out.onnx")
        self._adaptable.export(top, self._top)
        return head

    def logits(self, head: LinearHead, indices: Sequence[int]) -> tuple[Floats, NDArray[np.int64]]:
        """Return logits [m, facets] of all forms of the rows at `indices`, as serving will compute them."""
        texts = [text for k in indices for text in self._data.rows[k].texts]
        rows = [k for k in indices for _ in self._data.rows[k].texts]
        found = head.logits(self._adaptable.encoder().embed(texts, top=self._top))
        self._top.unlink()
        return found, np.asarray(rows, dtype=np.int64)


def train_adapter(
    data: Labelled,
    adaptable: Adaptable,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[nn.Module, LinearHead]:
    """Minimise the weighted cross-entropy of the rows' facets; deterministic for a seed and thread count.

    Args:
        data: the training rows.
        adaptable: the encoder and the hyper-parameters.
        progress: called with the share of the work that each step takes.

    Returns:
        The upper layers, in evaluation mode, and the head, to be multiplied with unit vectors.
    """
    settings, encoder = adaptable.settings, adaptable.encoder()
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    hidden = [[encoder.hidden(text) for text in row.texts] for row in data.rows]
    top = adaptable.top()
    head = nn.Linear(encoder.dimension, len(data.facets))
    epochs = _epochs(data.rows, hidden, settings)
    steps = sum(map(len, epochs))
    optimizer, schedule = _optimizer(top, head, steps, settings)
    labels = torch.from_numpy(data.labels)
    importance = torch.tensor([row.weight for row in data.rows])
    top.train()
    for batch in (batch for epoch in epochs for batch in epoch):
        rows = torch.tensor([row for row, _ in batch])
        states, mask = _pad([hidden[row][variant] for row, variant in batch])
        logits = head(top(states, mask) * HEAD_SCALE)
        loss = nn.functional.cross_entropy(
            logits, labels[rows], reduction="none", label_smoothing=settings.label_smoothing
        )
        optimizer.zero_grad()
        (loss * importance[rows]).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        progress(1 / steps)
    top.eval()
    vectors, bias = head.weight.detach().numpy() * HEAD_SCALE, head.bias.detach().numpy()
    return top, LinearHead(vectors.astype(np.float64), bias.astype(np.float64))


def _optimizer(top: nn.Module, head: nn.Module, steps: int, settings: AdapterSettings) -> tuple[Any, Any]:
    """Return AdamW, with a rate of its own for the head, and a schedule: a warm-up, then a linear decay."""
    groups: list[dict[str, Any]] = [
        {"params": top.parameters()},
        {"params": head.parameters(), "lr": settings.head_learning_rate},
    ]
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    first = max(1, round(steps * settings.warm_up))
    return optimizer, torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / first, (steps - step) / max(1, steps - first), 1.0)
    )


def _epochs(
    rows: Sequence[RouterRow], hidden: Sequence[Sequence[NDArray[np.float16]]], settings: AdapterSettings
) -> list[list[list[Form]]]:
    """Draw the batches of each epoch: measured rows in all their forms, supporting text in one at a time."""
    rng = random.Random(settings.seed)  # noqa: S311 - shuffling
    lengths = [[len(states) for states in variants] for variants in hidden]
    epochs = []
    for _ in range(settings.epochs):
        forms = [
            (index, variant)
            for index, row in enumerate(rows)
            for variant in (
                range(len(lengths[index])) if row.held_out else [rng.randrange(len(lengths[index]))]
            )
        ]
        epochs.append(_batches(forms, lengths, settings.tokens_per_batch, rng))
    return epochs


def _batches(
    forms: list[Form], lengths: Sequence[Sequence[int]], tokens: int, rng: random.Random
) -> list[list[Form]]:
    """Make batches of similar length with at most `tokens` padded positions, in random order."""
    rng.shuffle(forms)
    batches: list[list[Form]] = []
    for start in range(0, len(forms), _POOL):
        batch: list[Form] = []
        for row, variant in sorted(forms[start : start + _POOL], key=lambda e: lengths[e[0]][e[1]]):
            if batch and lengths[row][variant] * (len(batch) + 1) > tokens:
                batches.append(batch)
                batch = []
            batch.append((row, variant))
        batches.append(batch)
    rng.shuffle(batches)
    return batches


def _pad(states: Sequence[NDArray[np.float16]]) -> tuple[Tensor, Tensor]:
    length = max(len(state) for state in states)
    padded = np.zeros((len(states), length, states[0].shape[1]), dtype=np.float32)
    mask = torch.zeros(len(states), length, dtype=torch.long)
    for row, state in enumerate(states):
        padded[row, : len(state)] = state
        mask[row, : len(state)] = 1
    return torch.from_numpy(padded), mask
