"""Check shares of right routes and of right calls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.causal.subjects import ROWS, in_ids
from training.rows.labelled_rows import RouterRow

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


def test_calls_that_were_not_generated_do_not_count() -> None:
    from training.causal.call_scores import CallScores

    logits, gold = np.array([[2.0, 1.0], [2.0, 1.0], [1.0, 2.0]]), np.array([0, 1, 1])
    assert CallScores(logits, gold, np.full(3, np.nan)).figures() == {"route": 0.6667}
    exact = np.array([1.0, 0.0, np.nan])
    assert CallScores(logits, gold, exact).figures() == {"route": 0.6667, "exact": 0.5}


@pytest.mark.parametrize("abstain", [True, False])
def test_ending_is_a_choice_only_where_rows_abstain(tmp_path: Path, abstain: bool) -> None:
    from training.causal.base import bake_tiny
    from training.causal.call_scores import score_calls, serving

    rows = [*ROWS[:6], RouterRow(query="zzz", node=None)] if abstain else ROWS[:6]
    data = in_ids(tmp_path / "ids", rows)
    model = bake_tiny(tmp_path / "model", [row.query for row in ROWS], slots=8, seed=0)
    scores = score_calls(serving(model, data), data, rows, generated=3)
    assert scores.logits.shape == (len(rows), len(data.legal) - (not abstain))
    assert scores.gold[0] == data.places[str(rows[0].node)]
    assert not np.isnan(scores.exact[:3]).any()
    assert np.isfinite(scores.logits).all()
