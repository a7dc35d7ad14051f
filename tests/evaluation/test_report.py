"""Test tables, figures and files of reports, and the bootstrap beside the normal approximation and scipy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from evaluation.report import (
    Interval,
    Report,
    interval,
    paired_gain,
    plain,
    points,
    share,
    share_and_span,
    tabulate,
)


@dataclass(frozen=True)
class Found:
    share: float
    rows: int


def test_figures_become_json_values() -> None:
    assert plain({"a": 0.123456, "b": None, "c": {"d": 3}}) == {"a": 0.1235, "b": None, "c": {"d": 3}}
    assert np.isclose(plain(1 / 3), 0.3333)
    assert plain({"found": Found(0.123456, 3)}) == {"found": {"share": 0.1235, "rows": 3}}


def test_a_table_has_a_row_for_each_key_and_a_figure_for_each_column() -> None:
    found = {"one": Found(0.5, 3), "two": Found(0.25, 12)}
    lines = tabulate(
        "router", found, {"right %": lambda own: share(own.share), "n": lambda own: str(own.rows)}
    )
    assert lines.splitlines() == [
        "| router | right % | n |",
        "| --- | ---: | ---: |",
        "| one | 50.0 | 3 |",
        "| two | 25.0 | 12 |",
    ]


def test_shares_and_gains_carry_their_intervals() -> None:
    assert share(None) == "–"
    assert share_and_span(Interval(0.5, 0.41, 0.59)) == "50.0 (41.0–59.0)"
    assert points(Interval(-0.02, -0.05, 0.01)) == "-2.0 (-5.0 to +1.0)"


def test_a_report_writes_its_figures_last(tmp_path: Path) -> None:
    folder = tmp_path / "new"

    def draw(path: Path) -> None:
        assert not (folder / "speed.json").exists()
        path.write_text("a picture")

    Report("speed", "| a |", {"a": 1}, {"curve.svg": draw}).write(folder)
    assert (folder / "curve.svg").read_text() == "a picture"
    assert (folder / "speed.md").read_text() == "| a |\n"
    assert json.loads((folder / "speed.json").read_text()) == {"a": 1}


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
