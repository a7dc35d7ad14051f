"""Read recorded answers as places of options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.errors import InputError
from training.router.recorded import read_recorded
from training.router.selector_model import SILENT

ROW: dict[str, Any] = {
    "question": "Which?",
    "options": ["this", "that"],
    "answer": "B",
    "category": "any",
    "responses": {"x": "B", "y": "A", "z": "NA"},
}


def read(tmp_path: Path, *rows: dict[str, Any]) -> Any:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_recorded([path], ("x", "y", "z"))


def test_a_letter_is_the_place_of_an_option_and_everything_else_is_silence(tmp_path: Path) -> None:
    strange = ROW | {"responses": {"x": "", "y": "Z", "z": "B and A"}, "src": "own", "question_id": 7}
    data = read(tmp_path, ROW, strange)
    assert data.texts[0] == "Which?\nthis\nthat"
    assert data.gold.tolist() == [1, 1]
    assert data.answers.tolist() == [[1, 0, SILENT], [SILENT] * 3]
    assert data.right.tolist() == [[True, False, False], [False] * 3]
    assert data.sources == ["", "own"] and data.ids[1] == 7 and data.ids[0].endswith("rows.jsonl:1")


def test_some_of_the_rows_keep_all_their_columns(tmp_path: Path) -> None:
    data = read(tmp_path, ROW, ROW | {"category": "other", "answer": "A"}, ROW)
    some = data.pick(np.array([False, True, True]))
    assert some.categories == ["other", "any"] and some.gold.tolist() == [0, 1]
    assert len(some.texts) == len(some.answers) == len(some.sources) == len(some.ids) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer": "C"}, "'C'.*2 options"),
        ({"answer": None}, "None"),
        ({"question": 3}, "question must be a str, not 3"),
        ({"responses": {"x": "A"}}, "'y'.*NA"),
        ({"responses": {"x": "A", "y": 1, "z": "A"}}, "1 is not a letter"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=rf"rows\.jsonl:2: .*{said}"):
        read(tmp_path, ROW, ROW | change)
    with pytest.raises(InputError, match="no rows"):
        read(tmp_path)
