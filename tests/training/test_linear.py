"""Compare linear models with scikit-learn, which solves the same problems."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from agents.octopus.calibration import softmax
from training.linear import LinearHead, ridge, train_head


@pytest.fixture(scope="module")
def data() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, 300)
    inputs = np.eye(4, 12)[labels] + rng.normal(size=(300, 12))
    return inputs / np.linalg.norm(inputs, axis=1, keepdims=True), labels


@pytest.mark.parametrize("penalty", [0.05, 0.5, 5.0])
def test_the_same_probabilities_as_scikit_learn(
    data: tuple[NDArray[np.float64], NDArray[np.int64]], penalty: float
) -> None:
    inputs, labels = data
    weights = np.random.default_rng(0).uniform(0.2, 2, len(labels))
    head = train_head(inputs, labels, weights, 4, penalty=penalty, iterations=5000)
    reference = LogisticRegression(C=1 / (2 * penalty), max_iter=5000, tol=1e-9)
    reference.fit(inputs, labels, sample_weight=weights)
    np.testing.assert_allclose(softmax(head.logits(inputs)), reference.predict_proba(inputs), atol=5e-3)


def test_a_strong_penalty_stays_at_the_start(data: tuple[NDArray[np.float64], NDArray[np.int64]]) -> None:
    inputs, labels = data
    start = LinearHead(np.random.default_rng(1).normal(size=(4, 12)), np.zeros(4))
    near = train_head(inputs, labels, np.ones(len(labels)), 4, penalty=1e6, start=start)
    np.testing.assert_allclose(near.vectors, start.vectors, atol=1e-3)
    free = train_head(inputs, labels, np.ones(len(labels)), 4, penalty=0.01, start=start)
    assert np.abs(free.vectors - start.vectors).max() > 0.5


def test_a_row_of_no_weight_does_not_count(data: tuple[NDArray[np.float64], NDArray[np.int64]]) -> None:
    inputs, labels = data
    weights = np.r_[np.ones(200), np.zeros(100)]
    some = train_head(inputs[:200], labels[:200], np.ones(200), 4, penalty=0.5)
    weighed = train_head(inputs, labels, weights, 4, penalty=0.5)
    np.testing.assert_allclose(weighed.logits(inputs), some.logits(inputs), atol=1e-2)


def test_a_class_without_rows_keeps_its_place(data: tuple[NDArray[np.float64], NDArray[np.int64]]) -> None:
    inputs, labels = data
    head = train_head(inputs, labels, np.ones(len(labels)), 6, penalty=0.5)
    assert head.logits(inputs).shape == (300, 6)
    assert softmax(head.logits(inputs))[:, 4:].max() < 0.05


def test_the_same_slopes_as_scikit_learn(data: tuple[NDArray[np.float64], NDArray[np.int64]]) -> None:
    inputs, labels = data
    targets = np.eye(4)[labels]
    reference = Ridge(alpha=0.7, fit_intercept=False).fit(inputs, targets)
    np.testing.assert_allclose(ridge(inputs, targets, 0.7), reference.coef_.T, atol=1e-8)
