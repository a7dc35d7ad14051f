"""Check that rows for specialists are checked line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.errors import InputError
from training.rows.filters import Leaks
from training.rows.specialist import CheckedRows, Kind, SpecialistRow, check_rows, usable


def characters(row: SpecialistRow) -> int:
    return len(str(row.prompt)) + max(map(len, row.replies))


def check(tmp_path: Path, rows: list[Any], kind: Kind = "sft", leaks: tuple[str, ...] = ()) -> CheckedRows:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return check_rows([path], kind, length=characters, most=400, leaks=Leaks(leaks))


GOOD: dict[str, Any] = {"prompt": "What is two and two?", "completion": "Four."}
PAIR: dict[str, Any] = {"prompt": "What is two and two?", "chosen": "Four.", "rejected": "Five."}


@pytest.mark.parametrize(
    ("row", "kind", "said"),
    [
        (GOOD | {"completion": " "}, "sft", "completion is empty"),
        ({"prompt": "What?"}, "sft", "completion must be text, not None"),
        (GOOD | {"completion": "x" * 500}, "sft", "too long: 520 tokens, and 400 are"),
        ({"messages": [{"role": "user", "content": "hi"}]}, "sft", "must be the assistant"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, "sft", "robot"),
        ({"messages": []}, "sft", "messages must be a list"),
        (PAIR | {"rejected": "Four. "}, "dpo", "chosen and rejected are the same"),
        (GOOD, "dpo", "chosen must be text"),
    ],
)
def test_each_fault_has_its_line(tmp_path: Path, row: Any, kind: Kind, said: str) -> None:
    good = GOOD if kind == "sft" else PAIR
    checked = check(tmp_path, [good, row, good], kind)
    (fault,) = checked.faults
    assert "rows.jsonl:2: " in fault and said in fault
    assert len(checked.rows) == 2


def test_evaluation_rows_may_not_be_learnt(tmp_path: Path) -> None:
    long = " ".join(f"word{k}" for k in range(40))
    rows = [GOOD, {"prompt": f"Well: {long}", "completion": "Yes."}, GOOD | {"completion": "Is pi rational?"}]
    checked = check(tmp_path, rows, leaks=(long, "is PI rational"))
    assert [fault.split(": ")[0][-1] for fault in checked.faults] == ["2", "3"]
    assert all("leaks an evaluation row" in fault for fault in checked.faults)


def test_bad_rows_are_refused_unless_they_are_skipped(tmp_path: Path) -> None:
    checked = check(tmp_path, [GOOD, *[{"prompt": ""}] * 12, GOOD])
    with pytest.raises(InputError, match=r"12 rows cannot be trained on(.|\n)*and 2 more"):
        usable(checked, skip=False)
    assert len(usable(checked, skip=True)) == 2
    with pytest.raises(InputError, match="too few"):
        usable(check(tmp_path, [GOOD]), skip=True)
