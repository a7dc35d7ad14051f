"""Check the rows for the mmlu graph, from exams and from text of our own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from graphs.assembly import find_spec
from training.rows.mmlu import NODE_OF, OWN_WEIGHT, SUBJECTS, mmlu_rows

QUESTION = {
    "subject": "high_school_physics",
    "question": "How high does a thrown ball rise?",
    "choices": ["10 m", "20 m"],
    "answer": 1,
}


def test_every_subject_belongs_to_one_worker_of_the_graph() -> None:
    assert len(NODE_OF) == sum(map(len, SUBJECTS.values())) == 57
    assert set(SUBJECTS) == {str(name) for name in find_spec("mmlu").workers}


def test_exam_questions_are_measured_and_our_own_text_only_supports(tmp_path: Path) -> None:
    (tmp_path / "mmlu").mkdir()
    for name in ("dev", "val"):
        with gzip.open(tmp_path / "mmlu" / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.write(json.dumps(QUESTION) + "\n")
    rows = list(mmlu_rows(tmp_path))
    exam = [row for row in rows if row.held_out]
    assert [(row.node, row.facet, row.weight) for row in exam] == [
        ("physics", "high_school_physics", 1.0)
    ] * 2
    assert exam[0].texts == (QUESTION["question"], "How high does a thrown ball rise?\n10 m\n20 m")
    own = rows[2:]
    assert {row.weight for row in own} == {OWN_WEIGHT} and not any(row.held_out for row in own)
    assert {row.node for row in own if not row.variants} == {*SUBJECTS, None}
