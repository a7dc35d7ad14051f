"""Read replies of a chat model, whatever form they have."""

from __future__ import annotations

import pytest

from training.rows.synthesis_prompts import read_list, sort_queries, write_negatives


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('["a", "b"]', ["a", "b"]),
        ('Sure [as you like]:\n```json\n["a [x]", "b"]\n```', ["a [x]", "b"]),
        ("1. first\n2) second\n- third", ["first", "second", "third"]),
        ("I cannot do that.", []),
        ('{"a": 1}', []),
        ("[1, 2]", []),
    ],
)
def test_lists_are_read(text: str, found: list[str]) -> None:
    assert read_list(text) == found


def test_workers_are_described_in_a_line_each() -> None:
    workers = {"chef": "Cooks.\n  All day." + "x" * 400, "vet": "Heals."}
    sorting, writing = (
        sort_queries(workers, ["a", "b"]),
        write_negatives(workers, count=2, style="", language=""),
    )
    for text in (sorting[0][1], writing[1][1]):
        (chef,) = [line for line in text.splitlines() if line.startswith("- chef: Cooks. All day.")]
        assert len(chef) < 320
        assert "- vet: Heals." in text.splitlines()
