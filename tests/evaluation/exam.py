"""Write an exam of six questions of our own, with MMLU's columns, and recorded answers with MMLU-Pro's."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.router.recorded import SMALL_MODELS

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


_SUBJECTS = {
    "physics": "How much force does a mass of {} kilograms need to accelerate?",
    "law": "May a court of appeal overturn verdict number {} of a jury?",
}


def recorded_rows(count: int, seed: int = 0) -> list[dict[str, object]]:
    """Return answers where model 0 knows physics and model 1 law; the others guess between four options."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for k in range(count):
        category = ("physics", "law")[k % 2]
        gold = int(rng.integers(4))
        guesses = rng.integers(4, size=len(SMALL_MODELS))
        guesses[k % 2] = gold if rng.random() < 0.9 else guesses[k % 2]
        question = _SUBJECTS[category].format(seed * 10_000 + k)
        responses = {model: "ABCD"[g] for model, g in zip(SMALL_MODELS, guesses, strict=True)}
        rows.append(
            {
                "question": question,
                "options": ["yes", "no", "perhaps", "never"],
                "answer": "ABCD"[gold],
                "category": category,
                "src": "ori_mmlu-x" if k % 3 == 0 else "own",
                "responses": responses,
            }
        )
    return rows
