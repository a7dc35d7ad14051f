"""An exam of six questions of our own, in the columns of MMLU."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

EXAM = [
    ("high_school_physics", "A ball is thrown upwards with a speed of 20 m/s. How high does it rise?"),
    ("high_school_physics", "What is the force on a charge that moves in a magnetic field?"),
    ("high_school_physics", "Which lens makes a virtual image of a near object?"),
    ("international_law", "Which court settles a dispute between two states over a treaty?"),
    ("international_law", "When is a treaty void under the law of treaties?"),
    ("international_law", "May a state claim sovereignty over the high seas?"),
]


def exam_rows() -> list[dict[str, Any]]:
    choices = ["the first", "the second", "the third", "none of them"]
    return [{"subject": s, "question": q, "choices": choices, "answer": 0} for s, q in EXAM]


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
