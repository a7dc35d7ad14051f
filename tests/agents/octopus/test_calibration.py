"""Softmax, expected calibration error, temperature and threshold, on known values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from agents.octopus.calibration import (
    expected_calibration_error,
    fit_temperature,
    fit_threshold,
    grouped_softmax,
    negative_log_likelihood,
    softmax,
)

LOGITS = arrays(np.float64, (3, 5), elements=st.floats(-1e4, 1e4))


def test_softmax_of_known_values() -> None:
    np.testing.assert_allclose(softmax(np.log([1.0, 2.0, 5.0])), [0.125, 0.25, 0.625])
    np.testing.assert_allclose(softmax(np.array([0.0, 2 * np.log(3)]), temperature=2), [0.25, 0.75])


@given(LOGITS, st.floats(0.05, 20), st.floats(-100, 100))
def test_softmax_is_a_distribution_and_ignores_a_shift(
    logits: NDArray[np.float64], temperature: float, shift: float
) -> None:
    found = softmax(logits, temperature)
    np.testing.assert_allclose(found.sum(axis=-1), 1)
    assert (found >= 0).all()
    best = np.take_along_axis(found, logits.argmax(axis=-1, keepdims=True), axis=-1)
    assert (best == found.max(axis=-1, keepdims=True)).all()
    np.testing.assert_allclose(softmax(logits + shift, temperature), found, atol=1e-6)


@given(LOGITS)
def test_grouping_sums_the_facets_of_a_node(logits: NDArray[np.float64]) -> None:
    owner = np.array([0, 1, 0, 2, 1])
    grouped, facets = grouped_softmax(logits, owner, 4, 1.5), softmax(logits, 1.5)
    np.testing.assert_allclose(grouped[:, 0], facets[:, 0] + facets[:, 2])
    np.testing.assert_allclose(grouped[:, 2], facets[:, 3])
    assert not grouped[:, 3].any()
    np.testing.assert_allclose(grouped.sum(axis=1), 1)


def test_calibration_error_of_known_values() -> None:
    probabilities = np.array([[0.95, 0.05]] * 10)
    gold = np.array([0] * 8 + [1] * 2)
    assert expected_calibration_error(probabilities, gold) == pytest.approx(0.15)
    two_bins = np.array([[0.95, 0.05]] * 10 + [[0.55, 0.45]] * 10)
    gold = np.array([0] * 8 + [1] * 2 + [0] * 5 + [1] * 5)
    assert expected_calibration_error(two_bins, gold) == pytest.approx((0.15 + 0.05) / 2)
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert expected_calibration_error(sure, np.array([0, 1])) == 0
    assert expected_calibration_error(sure, np.array([1, 0])) == 1


def test_likelihood_of_known_values() -> None:
    probabilities = np.array([[0.5, 0.5], [0.25, 0.75]])
    assert negative_log_likelihood(probabilities, np.array([0, 0])) == pytest.approx(-np.log(0.125) / 2)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_made_the_answers_is_found(temperature: float) -> None:
    rng = np.random.default_rng(7)
    logits = rng.normal(size=(4000, 4)) * 3
    gold = np.array([rng.choice(4, p=row) for row in softmax(logits, temperature)])
    found = fit_temperature(logits, np.arange(4), 4, gold)
    assert found == pytest.approx(temperature, rel=0.1)
    before, after = (expected_calibration_error(softmax(logits, t), gold) for t in (5.0, found))
    assert after < 0.03 < before


def test_the_threshold_lies_where_choices_turn_reliable() -> None:
    doubtful, sure = np.linspace(0.2, 0.4, 40), np.linspace(0.6, 0.9, 60)
    confidence = np.concatenate([doubtful, sure])
    probabilities = np.stack([confidence, *[(1 - confidence) / 5] * 5], axis=1)
    gold = np.array([1] * 40 + [0] * 60)
    threshold = fit_threshold(probabilities, gold)
    assert 0.4 <= threshold < 0.75
    below = probabilities[confidence <= threshold]
    assert (gold[: len(below)] == 0).mean() < 1 / 3


def test_no_threshold_without_enough_doubtful_rows() -> None:
    probabilities = np.full((19, 2), 0.5)
    assert fit_threshold(probabilities, np.ones(19, dtype=np.int64)) == 0.0
    assert fit_threshold(np.array([[0.9, 0.1]] * 50), np.zeros(50, dtype=np.int64)) == 0.0
