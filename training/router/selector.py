"""Train a selector on recorded answers, and measure it out of fold.

    octopus train selector --rows responses.jsonl.gz --out DIR          # about 4 minutes on one core

Rows with the same question stay in the same fold. The strengths of regularisation were chosen by
cross-validation on the training rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from agents.errors import InputError
from agents.octopus.calibration import softmax
from training.linear import Floats, LinearHead, ridge, train_head
from training.router.recorded import RecordedAnswers
from training.router.selector_model import (
    SILENT,
    Selector,
    SelectorManifest,
    digests,
    save_selector,
    vote_features,
)


@dataclass(frozen=True)
class SelectorSettings:
    """Set the hyper-parameters.

    Attributes:
        panel: how many models `agree` may ask.
        folds: of the cross-validation, and of the category probabilities that the rest is fitted on.
        category_penalty: L2 on the category vectors.
        prior_rows: how many rows each model's mean counts for, against a category's own rows.
        ridge: L2 on what the embedding adds.
        vote_penalty: L2 on how categories change the weight of a vote.
        seed: for the folds.
    """

    panel: int = 4
    folds: int = 5
    category_penalty: float = 0.1
    prior_rows: float = 30.0
    ridge: float = 200.0
    vote_penalty: float = 30.0
    seed: int = 0


@dataclass(frozen=True)
class Picked:
    """Hold what a selector picked for n questions.

    Attributes:
        one: [n], the model to ask when one is asked.
        agreed: [n], the model whose answer is taken when a panel is asked.
        calls: [n], how many of the panel had to be asked.
    """

    one: NDArray[np.int64]
    agreed: NDArray[np.int64]
    calls: NDArray[np.int64]


def folds_of(data: RecordedAnswers, settings: SelectorSettings) -> NDArray[np.int64]:
    """Return the fold of each row, [n]; the same text is always in the same one.

    Raises:
        InputError: there are too few different questions.
    """
    different, groups = np.unique(digests(data.texts), return_inverse=True)
    if len(different) < 2 * settings.folds:
        raise InputError(f"{len(different)} different questions are too few for {settings.folds} folds.")
    shuffled = np.random.default_rng(settings.seed).permutation(len(different)) % settings.folds
    return np.asarray(shuffled[groups], dtype=np.int64)


def panel_of(data: RecordedAnswers, size: int) -> list[int]:
    """Return the places of the `size` models that are right most often, the best first."""
    return [int(k) for k in np.argsort(-data.right.mean(axis=0), kind="stable")[:size]]


def fit_selector(
    data: RecordedAnswers,
    inputs: NDArray[np.floating],
    categories: list[str],
    panel: list[int],
    settings: SelectorSettings,
) -> Selector:
    """Fit a selector to rows with embeddings `inputs` [n, d].

    Accuracies and votes are fitted to category probabilities that come from other folds, because those of new
    questions will also come from a model that did not see them.
    """
    labels = np.array([categories.index(category) for category in data.categories])
    vectors = np.asarray(inputs, dtype=np.float64)
    head = _category_head(vectors, labels, len(categories), settings)
    mixed = _held_out_categories(data, vectors, labels, len(categories), settings)
    right = data.right.astype(np.float64)
    mean = right.mean(axis=0)
    counts = mixed.sum(axis=0)[:, None] + settings.prior_rows
    accuracy = (mixed.T @ right + settings.prior_rows * mean) / counts
    centre = vectors.mean(axis=0)
    missing = right - mixed @ accuracy
    slopes = ridge(vectors - centre, missing - missing.mean(axis=0), settings.ridge).T
    votes = _fit_votes(data, vote_features(mixed), panel, settings.vote_penalty)
    seen = np.unique(digests(data.texts))
    return Selector(head.vectors, head.bias, accuracy, centre, slopes, votes, seen)


def train_selector(
    data: RecordedAnswers,
    inputs: NDArray[np.floating],
    out: Path,
    settings: SelectorSettings,
    progress: Callable[[float], None] = lambda step: None,
) -> dict[str, float]:
    """Measure out of fold, train on all rows and save to `out`; return the metrics of its manifest."""
    picked = cross_validated(data, inputs, settings, progress)
    rows, right = np.arange(len(data.gold)), data.right
    metrics = {
        "best_single": float(right.mean(axis=0).max()),
        "one_call": float(right[rows, picked.one].mean()),
        "agreement": float(right[rows, picked.agreed].mean()),
        "calls": float(picked.calls.mean()),
    }
    metrics = {name: round(value, 4) for name, value in metrics.items()}
    categories, panel = sorted(set(data.categories)), panel_of(data, settings.panel)
    manifest = SelectorManifest(
        models=list(data.models),
        categories=categories,
        panel=panel,
        training={"rows": len(rows), **asdict(settings)},
        metrics=metrics,
    )
    save_selector(out, fit_selector(data, inputs, categories, panel, settings), manifest)
    progress(1.0)
    return metrics


def cross_validated(
    data: RecordedAnswers,
    inputs: NDArray[np.floating],
    settings: SelectorSettings,
    progress: Callable[[float], None] = lambda step: None,
) -> Picked:
    """Return what selectors pick for rows that they did not see; the panel is chosen without those too."""
    folds = folds_of(data, settings)
    categories = sorted(set(data.categories))
    one, agreed, calls = (np.zeros(len(folds), dtype=np.int64) for _ in range(3))
    for fold in range(settings.folds):
        held = folds == fold
        seen = data.pick(~held)
        panel = panel_of(seen, settings.panel)
        selector = fit_selector(seen, inputs[~held], categories, panel, settings)
        one[held] = selector.choose(inputs[held])
        agreed[held], calls[held] = selector.agree(inputs[held], data.answers[held], panel)
        progress(1.0)
    return Picked(one, agreed, calls)


def _category_head(
    vectors: Floats, labels: NDArray[np.int64], classes: int, settings: SelectorSettings
) -> LinearHead:
    return train_head(
        vectors.astype(np.float32),
        labels,
        np.ones(len(labels)),
        classes,
        penalty=settings.category_penalty,
    )


def _held_out_categories(
    data: RecordedAnswers,
    vectors: Floats,
    labels: NDArray[np.int64],
    classes: int,
    settings: SelectorSettings,
) -> Floats:
    """Return category probabilities [n, classes] by heads that did not see the row."""
    folds = folds_of(data, settings)
    mixed = np.zeros((len(labels), classes))
    for fold in range(settings.folds):
        held = folds == fold
        head = _category_head(vectors[~held], labels[~held], classes, settings)
        mixed[held] = softmax(head.logits(vectors[held]))
    return mixed


def _fit_votes(data: RecordedAnswers, features: Floats, panel: list[int], penalty: float) -> Floats:
    """Fit the weights [panel, f] that make the right option likeliest: a conditional logit (McFadden 1974).

    The logit of an option is the sum of the weights of the models that gave it; a weight is linear in the
    question's features [n, f], of which the first, the constant, is hardly penalised.
    """
    options = int(max(data.answers.max(), data.gold.max())) + 1
    given = data.answers[:, panel]
    named = (given[:, :, None] == np.arange(options)) & (given != SILENT)[:, :, None]
    ballots = named.astype(np.float64)
    rows, penalties = np.arange(len(given)), np.full(features.shape[1], penalty)
    penalties[0] = 1.0

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(len(panel), -1)
        chances = softmax(np.einsum("nk,nko->no", features @ weights.T, ballots))
        value = -np.log(np.maximum(chances[rows, data.gold], 1e-300)).sum()
        value += 0.5 * (penalties * weights**2).sum()
        chances[rows, data.gold] -= 1
        gradient = np.einsum("no,nko->nk", chances, ballots).T @ features + penalties * weights
        return float(value) / len(rows), gradient.ravel() / len(rows)

    first = np.zeros((len(panel), features.shape[1]))
    first[:, 0] = 1.0
    found = minimize(loss, first.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return np.asarray(found.x.reshape(first.shape))
