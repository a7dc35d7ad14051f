"""Split rows into those to train on and those to measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agents.errors import InputError
from app.commands.functional_tokens import split_rows
from tests.training.causal.subjects import ROWS, master
from training.rows.labelled_rows import RouterRow

pytestmark = pytest.mark.train  # `Master` stands beside code that needs torch


def test_rows_that_may_not_be_held_out_are_only_trained_on(tmp_path: Path) -> None:
    def write(name: str, rows: Sequence[RouterRow]) -> list[Path]:
        (tmp_path / name).write_text("".join(f"{row.model_dump_json()}\n" for row in rows))
        return [tmp_path / name]

    rows = [RouterRow(query=f"q{k}", node="math", held_out=k % 2 == 1) for k in range(40)]
    known, unseen = split_rows(write("mixed", rows), None, master(), 0)
    assert unseen == [rows[1], rows[21]]
    assert known == [row for row in rows if row not in unseen]
    assert split_rows(write("mixed", rows), write("apart", rows[:2]), master(), 0) == (rows, [rows[1]])
    known, unseen = split_rows(write("plain", ROWS), None, master(), 0)
    assert (known, unseen) == ([row for k, row in enumerate(ROWS) if k % 10], ROWS[::10])


def test_only_one_graph_has_made_up_rows(tmp_path: Path) -> None:
    known, unseen = split_rows(None, None, master(), 0)
    assert len(known) > len(unseen) > 0
    assert not {row.query for row in known} & {row.query for row in unseen}
    fewer = replace(master(), edges={}, graph="kitchen")
    with pytest.raises(InputError, match=r"'kitchen'.*--rows"):
        split_rows(None, None, fewer, 0)
