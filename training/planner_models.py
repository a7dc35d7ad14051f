"""Fit the models of the planner: regressions on requests and phrases, and the ranker of next nodes.

The regressions are kernel ridge on whole requests and ridge on phrases. The ranker is small networks, trained
by Adam on the cross-entropy over the candidates (D. Kingma and J. Ba, Adam: A method for stochastic
optimization, ICLR 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.octopus.planning.exemplars import Exemplars, NGramIndex, kernel
from agents.octopus.planning.next_node import Ranker
from agents.octopus.planning.path_graph import Path, PathGraph
from training.linear import Floats, ridge

Weights = NDArray[np.float32]
_EXEMPLAR_PENALTY, _STEP_PENALTY, _BAG_PENALTY = 0.3, 0.5, 1.0
_ROUNDS = 3


def fit_exemplars(
    texts: Sequence[str], vectors: NDArray[np.float32], paths: Sequence[Path], graph: PathGraph
) -> tuple[Exemplars, NDArray[np.float32], NDArray[np.float32]]:
    """Fit the exemplars, and say what the others say of each row when that row is left out.

    The values with row i left out follow from the fit on all rows: y_i − (A⁻¹(y − ȳ))_i / (A⁻¹)_ii with
    A = K + λI (G. Wahba, Spline models for observational data, 1990; ȳ is not fitted again).

    Returns:
        The exemplars; leave-one-out values [n, targets]; the kernel [n, n].
    """
    ngrams = NGramIndex.build(texts)
    gram = np.stack(
        [kernel(vectors, ngrams, text, own) for text, own in zip(texts, vectors, strict=True)]
    ).astype(np.float64)
    gram = (gram + gram.T) / 2
    targets = path_targets(paths, graph)
    means = targets.mean(axis=0)
    inverse = np.linalg.inv(gram + _EXEMPLAR_PENALTY * np.eye(len(gram)))
    duals = inverse @ (targets - means)
    left_out = targets - duals / np.diag(inverse)[:, None]
    exemplars = Exemplars(
        vectors=vectors,
        ngrams=ngrams,
        paths=tuple(paths),
        duals=np.ascontiguousarray(duals.T, dtype=np.float32),
        means=means.astype(np.float32),
    )
    return exemplars, left_out.astype(np.float32), gram.astype(np.float32)


def path_targets(paths: Sequence[Path], graph: PathGraph) -> Floats:
    """Return [n, nodes + edges], 1 where the path has that node or edge; the edge to the end counts too."""
    found = np.zeros((len(paths), graph.end + len(graph.edges)))
    for row, path in enumerate(paths):
        found[row, list(path)] = 1
        steps = zip((graph.entry, *path), (*path, graph.end), strict=True)
        found[row, [graph.end + graph.edges[step] for step in steps]] = 1
    return found


def edge_priors(paths: Sequence[Path], graph: PathGraph) -> NDArray[np.float32]:
    """Return smoothed ln P(edge | the node it leaves), [edges], at the places of `graph.edges`."""
    counts = path_targets(paths, graph)[:, graph.end :].sum(axis=0) + 0.3
    sources = np.array([source for source, _ in graph.edges], dtype=np.int64)
    totals = np.bincount(sources, counts, minlength=graph.end)
    return np.asarray(np.log(counts / totals[sources]), dtype=np.float32)


@dataclass(frozen=True)
class PhraseTexts:
    """Hold embedded texts of many rows: single steps, or phrases of whole requests.

    Attributes:
        vectors: [texts, d].
        rows: [texts], the row of each.
        nodes: [texts], the node of each, or -1 where only the row's nodes are known.
    """

    vectors: NDArray[np.float32]
    rows: NDArray[np.int64]
    nodes: NDArray[np.int64]


def phrase_weights(texts: PhraseTexts, on_path: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Learn which node a phrase asks for; return weights [nodes, d + 1], the constant last.

    Where rows bring texts of single steps, these are learnt from. Elsewhere it is only known which nodes the
    whole request needs. Then each phrase first belongs to all of them alike, and is given round by round to
    those that fit it best (learning from bags: T. Dietterich, R. Lathrop and T. Lozano-Pérez, 1997).

    Args:
        texts: of steps, and phrases of rows that have none.
        on_path: [rows, nodes], which nodes each row's path has.
    """
    inputs = np.pad(texts.vectors.astype(np.float64), ((0, 0), (0, 1)), constant_values=1.0)
    bags = on_path[texts.rows].astype(np.float64)
    known = np.flatnonzero(texts.nodes >= 0)
    bags[known] = 0
    bags[known, texts.nodes[known]] = 1
    shares = bags / np.maximum(bags.sum(axis=1, keepdims=True), 1)
    if len(known) == len(inputs):
        return ridge(inputs, shares, _STEP_PENALTY).T.astype(np.float32)
    for _ in range(_ROUNDS):
        scores = np.maximum(inputs @ ridge(inputs, shares, _BAG_PENALTY), 1e-3) ** 2 * bags
        shares = scores / np.maximum(scores.sum(axis=1, keepdims=True), 1e-12)
    return ridge(inputs, shares, _BAG_PENALTY).T.astype(np.float32)


@dataclass(frozen=True)
class RankingExample:
    """Hold the features [candidates, features] of one choice, and the index of the right candidate."""

    features: Weights
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
    scaled: Sequence[Weights], gold: NDArray[np.int64], settings: RankerSettings, seed: int
) -> tuple[Weights, Weights, Weights]:
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


def _gradients(parameters: list[Weights], scaled: list[Weights], gold: NDArray[np.int64]) -> list[Weights]:
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

    def __init__(self, parameters: list[Weights], weight_decay: float) -> None:
        self._parameters = parameters
        self._decay = weight_decay
        self._first = [np.zeros_like(own) for own in parameters]
        self._second = [np.zeros_like(own) for own in parameters]
        self._steps = 0

    def step(self, gradients: list[Weights], rate: float) -> None:
        self._steps += 1
        for own, gradient, first, second in zip(
            self._parameters, gradients, self._first, self._second, strict=True
        ):
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            mean = first / (1 - 0.9**self._steps)
            spread = np.sqrt(second / (1 - 0.999**self._steps)) + 1e-8
            own -= rate * (mean / spread + self._decay * own)
