"""Test the speed comparison of a causal Octopus on a very small model."""

from __future__ import annotations

import pytest


@pytest.mark.train
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_the_speed_report_on_a_very_small_model() -> None:
    from evaluation.labs.causal_speed import evaluate_causal_speed

    report = evaluate_causal_speed(rounds=1, width=64, layers=1)
    ratios = report.figures["ratios"]
    assert ratios["choice only / with a call of 32 tokens"]["ratio"] < 0.5
    assert ratios["prefill, 100 descriptions / functional tokens"]["ratio"] > 5
    assert ratios["16 mixed adapters, one by one / in a batch"]["ratio"] > 1
