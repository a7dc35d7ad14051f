"""Rows of training data, with the line of each fault."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from agents.errors import InputError
from training.rows.labelled_rows import RouterRow, read_json_lines, read_router_rows


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
