"""Test losses on skewed rows: the rows, the figures, and a report from a real, hardly trained base."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from agents.types import NodeName
from tests.training.causal.subjects import train

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


def test_rows_are_skewed() -> None:
    from evaluation.labs.causal_losses import skewed_rows
    from training.rows.template_rows import load_templates

    nodes = [NodeName(node) for node in load_templates().nodes]
    counts = Counter(row.node for row in skewed_rows(nodes, seed=0))
    assert [counts[node] for node in nodes] == [500, 250, 125, 62, 31, 15, 7, 6]


def test_figures() -> None:
    from evaluation.labs.causal_losses import LossEffect
    from training.causal.artifact import CallScores

    logits = np.log(np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]))
    scores = CallScores(logits, np.array([0, 0, 1, 1]), np.full(4, np.nan))
    effect = LossEffect.of(scores, rare=[1])
    assert (effect.route, effect.rare, effect.most) == (0.75, 0.5, 0.75)
    assert effect.partition == pytest.approx(0)
    assert LossEffect.of(CallScores(logits + 3, scores.gold, scores.exact), rare=[1]).partition == (
        pytest.approx(3)
    )


def test_the_report_on_a_hardly_trained_base(tmp_path: Path) -> None:
    from evaluation.labs.causal_losses import VARIANTS, evaluate_causal_losses

    train(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    some = {name: VARIANTS[name] for name in ("none of them", "class weights 1")}
    report = evaluate_causal_losses(tmp_path, variants=some, seeds=1, steps=1)
    assert report.markdown.count("\n") == 3
    plain, weighted = (report.figures[name][0] for name in some)
    assert plain["partition"] != weighted["partition"]  # the rows weigh otherwise in the only step
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
