"""Test the report on a causal Octopus, here over the encoder; the gate, and what promoting leaves."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from agents.octopus.encoder.octopus import EncoderOctopus
from agents.types import NodeName
from app.settings import Settings
from evaluation.routing.side_by_side import evaluate_causal, promote, real_questions, through_the_gate
from graphs.assembly import assemble, find_spec
from training.rows.labelled_rows import RouterRow
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


ROWS = [
    RouterRow(query=query, node=node)
    for query, node in (
        ("Which court settles a dispute between two states over a treaty?", "law"),
        ("How high does a ball rise that is thrown at 20 m/s?", "physics"),
        ("Which enzyme unwinds DNA in a cell?", "biology"),
        ("What is the molar mass of a salt?", "chemistry"),
        ("Prove that the sum of two odd integers is even.", "math"),
    )
]


def test_a_better_router_passes_and_the_same_does_not(octopus: EncoderOctopus) -> None:
    eager, shy = replace(octopus, threshold=0.0), replace(octopus, threshold=2.0)
    found = through_the_gate(shy, eager, ROWS)
    assert (found.rows, found.current) == (5, 0.0)
    assert found.candidate > 0.5 and found.passed
    same = through_the_gate(eager, eager, ROWS)
    assert (same.gain.low, same.gain.high, same.passed) == (0.0, 0.0, False)


def test_abstaining_is_right_where_no_node_fits(octopus: EncoderOctopus) -> None:
    rows = [RouterRow(query=row.query, node=None) for row in ROWS]
    found = through_the_gate(replace(octopus, threshold=0.0), replace(octopus, threshold=2.0), rows)
    assert (found.current, found.candidate) == (0.0, 1.0)


def test_promoting_keeps_the_one_before(tmp_path: Path) -> None:
    target = tmp_path / "artifacts" / "mmlu"
    for version in "abc":
        candidate = tmp_path / version
        candidate.mkdir()
        (candidate / "manifest.json").write_text(version)
        promote(candidate, target)
    assert (target / "manifest.json").read_text() == "c"
    assert (target.with_name("mmlu.previous") / "manifest.json").read_text() == "b"
    assert not target.with_name("mmlu.new").exists()
