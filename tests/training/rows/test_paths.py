"""Check gold paths line by line, and compare other paths with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.errors import InputError
from tests.planning import kitchen
from training.rows.paths import link_f1, node_f1, read_path_rows


def rows_file(folder: Path, *rows: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_paths_that_leave_the_graph_are_counted(tmp_path: Path) -> None:
    good = {"query": "x", "path": ["cook_dish", "cook_dish"], "other": 1}
    found = read_path_rows([rows_file(tmp_path, good, {**good, "path": ["wash_up", "set_timer"]})], kitchen())
    assert [row.path for row in found.rows] == [("cook_dish", "cook_dish")]
    assert found.outside == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"query": "x", "path": ["garage"]}, "rows.jsonl:1: 'garage' is not a node of the graph"),
        ({"query": "x", "path": []}, "rows.jsonl:1: path: .*at least 1 item"),
        ({"query": " ", "path": ["wash_up"]}, "rows.jsonl:1: the query is empty"),
        ({"path": ["wash_up"]}, "rows.jsonl:1: query: Field required"),
        ({"query": "x", "path": ["wash_up", "set_timer"]}, "no rows to train on .* leave the graph"),
    ],
)
def test_faulty_rows_are_named(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_path_rows([rows_file(tmp_path, row)], kitchen())


def test_agreement_of_paths() -> None:
    assert node_f1("ab", "bc") == 0.5
    assert node_f1("aba", "ab") == 1
    assert link_f1("abc", "abd") == 0.5
    assert link_f1("ab", "ba") == 0
    assert link_f1("a", "b") == 1  # neither has a link
    assert node_f1("", "a") == 0
