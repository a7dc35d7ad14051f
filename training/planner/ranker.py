"""Train the ranker of next nodes: small networks by Adam on the cross-entropy over the candidates.

Source: D. Kingma and J. Ba, Adam: A method for stochastic optimization, ICLR 2015.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.octopus.planning.trained import Ranker

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class RankingExample:
    """Hold the features [candidates, features] of one choice, and the place of the right candidate."""

    features: Floats
    gold: int


@dataclass(frozen=True)
class RankerSettings:
    """Set the hyper-parameters; the defaults were chosen by cross-validation on UltraTool's training rows."""

    networks: int = 4
    units: int = 32
    epochs: int = 30
    batch: int = 128
    learning_rate: float = 8e-3
    weight_decay: float = 0.01
    seed: int = 0


def train_ranker(
    examples: Sequence[RankingExample],
    settings: RankerSettings,
    progress: Callable[[float], None] = lambda share: None,
) -> Ranker:
    """Minimise the mean cross-entropy; deterministic for a seed.

    Args:
        examples: what to learn from; the features of a row must come from models that did not see that row.
        settings: hyper-parameters.
        progress: called with the share of the work just done.
    """
    every = np.concatenate([example.features for example in examples])
    mean, scale = every.mean(axis=0), every.std(axis=0) + 1e-3
    scaled = [(example.features - mean) / scale for example in examples]
    gold = np.array([example.gold for example in examples])
    networks = []
    for k in range(settings.networks):
        networks.append(_train_network(scaled, gold, settings, settings.seed + k))
        progress(1 / settings.networks)
    hidden, bias, output = (np.stack(part).astype(np.float32) for part in zip(*networks, strict=True))
    return Ranker(mean.astype(np.float32), scale.astype(np.float32), hidden, bias, output)


def _train_network(
    scaled: Sequence[Floats], gold: NDArray[np.int64], settings: RankerSettings, seed: int
) -> tuple[Floats, Floats, Floats]:
    random = np.random.default_rng(seed)
    inputs = scaled[0].shape[1]
    parameters = [
        random.normal(0, np.sqrt(2 / inputs), (inputs, settings.units)).astype(np.float32),
        np.zeros(settings.units, dtype=np.float32),
        random.normal(0, np.sqrt(1 / settings.units), settings.units).astype(np.float32),
    ]
    optimizer = _Adam(parameters, settings.weight_decay)
    batches = max(1, round(len(scaled) / settings.batch))
    steps = settings.epochs * batches
    for step in range(steps):
        if step % batches == 0:
            parts = np.array_split(random.permutation(len(scaled)), batches)
        part = parts[step % batches]
        gradients = _gradients(parameters, [scaled[k] for k in part], gold[part])
        optimizer.step(gradients, settings.learning_rate * _one_cycle(step / steps))
    return parameters[0], parameters[1], parameters[2]


def _one_cycle(share: float) -> float:
    """Return the learning rate's factor: up over three tenths of the steps, then down to almost nothing."""
    return 0.04 + 0.96 * share / 0.3 if share < 0.3 else 0.5 * (1 + np.cos(np.pi * (share - 0.3) / 0.7))


def _gradients(parameters: list[Floats], scaled: list[Floats], gold: NDArray[np.int64]) -> list[Floats]:
    """Return the gradients of the mean of -ln softmax(gold), with the examples laid end to end."""
    hidden, bias, output = parameters
    sizes = np.array([len(one) for one in scaled])
    starts = np.cumsum(sizes) - sizes
    inputs = np.concatenate(scaled)
    before = inputs @ hidden + bias
    units = np.maximum(before, 0)
    logits = units @ output
    powers = np.exp(logits - np.repeat(np.maximum.reduceat(logits, starts), sizes))
    slopes = powers / np.repeat(np.add.reduceat(powers, starts), sizes)
    slopes[starts + gold] -= 1
    slopes /= len(scaled)
    back = np.outer(slopes, output) * (before > 0)
    return [inputs.T @ back, back.sum(axis=0), units.T @ slopes]


class _Adam:
    """Update parameters by Adam, with decoupled weight decay on matrices and vectors alike."""

    def __init__(self, parameters: list[Floats], weight_decay: float) -> None:
        self._parameters = parameters
        self._decay = weight_decay
        self._first = [np.zeros_like(own) for own in parameters]
        self._second = [np.zeros_like(own) for own in parameters]
        self._steps = 0

    def step(self, gradients: list[Floats], rate: float) -> None:
        self._steps += 1
        for own, gradient, first, second in zip(
            self._parameters, gradients, self._first, self._second, strict=True
        ):
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            mean = first / (1 - 0.9**self._steps)
            spread = np.sqrt(second / (1 - 0.999**self._steps)) + 1e-8
            own -= rate * (mean / spread + self._decay * own)
