"""Read rows of training data, and name the line of each fault."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from agents.errors import InputError
from training.rows.labelled_rows import Labelled, RouterRow, fold_of, read_json_lines, read_router_rows

ROWS = [
    *(RouterRow(query=f"cook {k}", node="cooking", facet="heat" if k % 2 else "prep") for k in range(7)),
    *(RouterRow(query=f"drive {k}", node="cars") for k in range(7)),
    *(RouterRow(query=f"zzz {k}", node=None, held_out=False) for k in range(6)),
]


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_rows_with_their_lines(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, '{"query": "é"}\n\n  \r\n{"query": "b", "n": 1}'.encode())
    assert list(read_json_lines(path)) == [(1, {"query": "é"}), (4, {"query": "b", "n": 1})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n{"a": \n', r"rows\.jsonl:2: .*Each line is one JSON object in UTF-8"),
        (b'{"a": 1}\n\n{"a": "\xff"}\n', r"rows\.jsonl:3: .*utf-8"),
        (b"[1]\n", r"rows\.jsonl:1: a JSON object is needed, not list"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(read_json_lines(written(tmp_path / "rows.jsonl", content)))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(read_json_lines(tmp_path / "none.jsonl"))
    with pytest.raises(InputError, match=r"cannot be read.*gzip"):
        (tmp_path / "plain.gz").write_bytes(b'{"a": 1}\n')
        list(read_json_lines(tmp_path / "plain.gz"))
    with pytest.raises(InputError, match="cannot be read"):
        (tmp_path / "cut.gz").write_bytes(gzip.compress(b'{"a": 1}\n' * 1000)[:-20])
        list(read_json_lines(tmp_path / "cut.gz"))


def test_router_rows(tmp_path: Path) -> None:
    content = b'{"query": "a", "node": "x", "extra": 1}\n{"query": "b", "node": null, "variants": ["c"]}\n'
    first, second = read_router_rows([written(tmp_path / "r.jsonl", content)], {"x"})
    assert first == RouterRow(query="a", node="x")
    assert second.node is None
    assert second.texts == ("b", "c")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"query": "a", "node": "x"}\n{"query": "a", "node": "z"}', r":2: 'z' is not a neighbour.*x, y"),
        (b'{"query": "", "node": "x"}', r":1: query: .*at least 1 character"),
        (b'{"node": "x"}', r":1: query: Field required"),
        (b'{"query": "a"}', r":1: node: Field required"),
        (b'{"query": "a", "node": "x", "weight": 0}', r":1: weight: .*greater than 0"),
        (b"\n", "no rows in"),
    ],
)
def test_faulty_rows_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_router_rows([written(tmp_path / "r.jsonl", content)], {"x", "y"})


def test_another_seed_gives_other_folds() -> None:
    first, again, other = (fold_of(ROWS, 3, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert set(first[14:]) == {-1}
    assert np.bincount(first[first >= 0]).tolist() == [5, 5, 4]


def test_facets_are_numbered_with_none_last() -> None:
    data = Labelled.of(ROWS)
    assert data.nodes == ["cars", "cooking", None]
    assert data.owner.tolist() == [0, 1, 1, 2]
    assert data.pick([0, 7]).labels.tolist() == [2, 0]
