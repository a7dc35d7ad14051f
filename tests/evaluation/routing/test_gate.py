"""Test that a router passes the gate only if it is better beyond chance, and what promoting leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agents.octopus.encoder.octopus import EncoderOctopus
from evaluation.routing.gate import promote, through_the_gate
from training.rows.labelled_rows import RouterRow

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
