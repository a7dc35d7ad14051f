"""Check that the ranker weighs features."""

from __future__ import annotations

import numpy as np
import pytest

from training.planner.ranker import RankerSettings, RankingExample, train_ranker


def test_the_ranker_learns_which_feature_counts() -> None:
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(4, 3)).astype(np.float32) for _ in range(200)]
    decisions = [RankingExample(own, int(own[:, 1].argmax())) for own in inputs]
    settings = RankerSettings(networks=1, units=8, epochs=40, batch=20)
    ranker = train_ranker(decisions, settings)
    right = [int(ranker.log_probabilities(own).argmax()) == int(own[:, 1].argmax()) for own in inputs]
    assert np.mean(right) > 0.9
    assert np.exp(ranker.log_probabilities(inputs[0])).sum() == pytest.approx(1)
