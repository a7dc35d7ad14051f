"""Test tables, figures and files of reports."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.intervals import Interval
from evaluation.report import Report, plain, points, share, share_and_span, tabulate


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
