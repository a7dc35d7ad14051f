"""Test the report on a causal Octopus, here over the encoder."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from agents.types import NodeName
from app.settings import Settings
from evaluation.routing.side_by_side import evaluate_causal, real_questions
from graphs.assembly import assemble, find_spec
from training.rows.template_rows import template_rows


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write two questions of MMLU's form, one of them for no node of the graph."""
    (tmp_path / "mmlu").mkdir()
    rows = [
        {"subject": "college_chemistry", "question": "What is the molar mass of water?", "choices": []},
        {"subject": "marketing", "question": "What is a brand?", "choices": []},
    ]
    with gzip.open(tmp_path / "mmlu" / "val.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return tmp_path


def test_real_questions_are_those_of_the_graph(data: Path) -> None:
    found = real_questions(data, ["chemistry", "math"])
    assert [row.node for row in found["MMLU val"]] == ["chemistry"]
    assert len(found["word problems"]) == 40
    assert "medical cases" not in found


def test_the_report_has_a_line_for_each_octopus_and_part(data: Path) -> None:
    octopus = assemble(find_spec("subjects"), Settings.read(), zero_shot=True).routing.octopus(
        NodeName("octopus")
    )
    done: list[float] = []
    report = evaluate_causal({"one": octopus, "two": octopus}, template_rows(16, seed=0), data, done.append)
    assert sum(done) == pytest.approx(1)
    parts = ["held-out rows", "MMLU val", "word problems", "Python stubs", "medical cases"]
    assert [(row["part"], row["octopus"]) for row in report.figures["rows"]] == [
        (part, name) for part in parts for name in ("one", "two")
    ]
    made_up, exam = report.figures["rows"][0], report.figures["rows"][2]
    assert made_up["exact"] == made_up["route"] > 0.5  # the encoder's rewrite is the worker's template
    assert exam["exact"] is None
