"""Test the bootstrap against the normal approximation and scipy's."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.intervals import Interval, interval, paired_gain


def test_the_interval_of_a_mean() -> None:
    assert interval([1.0] * 5) == interval([1.0] * 9)
    wide, narrow = interval([0.0, 1.0] * 5), interval([0.0, 1.0] * 500)
    assert wide.low < narrow.low < 0.5 < narrow.high < wide.high


def test_the_interval_holds_the_share_and_narrows_with_rows() -> None:
    right = np.array([True] * 80 + [False] * 20)
    found = interval(right)
    assert found.low < 0.8 < found.high
    # The normal approximation: 1.96 standard errors to each side.
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 100), rel=0.15)
    narrow = interval(np.tile(right, 100))
    assert narrow.high - narrow.low < (found.high - found.low) / 8
    assert interval([True, True]) == Interval(1.0, 1.0, 1.0)


def test_it_is_the_interval_of_scipy() -> None:
    from scipy.stats import bootstrap

    values = np.random.default_rng(0).integers(0, 6, 300) / 5
    ours = interval(values)
    theirs = bootstrap((values,), np.mean, n_resamples=10_000, method="percentile", rng=0)
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.003)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.003)


def test_a_seed_gives_the_same_interval_again() -> None:
    values = np.arange(50) % 7
    assert interval(values, seed=3) == interval(values, seed=3) != interval(values, seed=4)


def test_the_interval_of_a_paired_gain() -> None:
    ours, theirs = np.arange(1000) % 10 < 6, np.arange(1000) % 10 < 5
    gain = paired_gain(ours, theirs)
    # A tenth of the questions is won and none lost: the standard error is √(0.1 · 0.9 / 1000).
    assert gain.mean == pytest.approx(0.1)
    assert gain.low == pytest.approx(0.1 - 1.96 * 0.0095, abs=0.002)
    assert paired_gain(ours, ours) == Interval(0.0, 0.0, 0.0)


def test_a_gain_compares_answers_to_the_same_questions() -> None:
    right = [True] * 70 + [False] * 30
    assert paired_gain(right, [False] * 100).mean == pytest.approx(0.7)
    # In pairs, answers that differ nowhere have no spread, however much they vary.
    assert paired_gain(right, right) == Interval(0.0, 0.0, 0.0)
