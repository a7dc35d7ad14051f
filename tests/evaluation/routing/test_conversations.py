"""Test how follow-ups and changes are told apart, and how often queries are cut and rewritten."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from agents.errors import InputError
from agents.octopus.conversation.human_turns import Turn
from agents.octopus.encoder.octopus import EncoderOctopus
from evaluation.report import Interval
from evaluation.routing.conversations import (
    RewritingMetrics,
    dialogues_in,
    evaluate_conversations,
    evaluate_dialogues,
    evaluate_rewriting,
    sealed_dialogues,
)
from training.rows.dialogues import Dialogue

TURNS = [["Prove that the square root of 2 is irrational."], ["What is cell biology? What is geometry?"]]


def test_the_share_of_cut_queries(octopus: EncoderOctopus) -> None:
    found = evaluate_rewriting(replace(octopus, threshold=0.0), TURNS)
    assert found == RewritingMetrics(2, 0.5, 0.0, 0.0)


def test_a_template_changes_and_a_lossy_one_is_bypassed(octopus: EncoderOctopus) -> None:
    def with_template(template: str) -> EncoderOctopus:
        neighbours = [replace(neighbour, template=template) for neighbour in octopus.neighbours]
        return replace(octopus, neighbours=neighbours, threshold=0.0)

    changed = evaluate_rewriting(with_template("As a teacher: {query}"), TURNS)
    assert (changed.changed, changed.bypassed) == (1.0, 0.0)
    lossy = evaluate_rewriting(with_template("Say something."), TURNS[:1])
    assert (lossy.changed, lossy.bypassed) == (0.0, 1.0)


OPENING = "Which force keeps the planets in orbit around the sun?"
ROWS = [
    Dialogue((Turn(OPENING), Turn("and why is that?")), frozenset({"physics"}), True, "1"),
    Dialogue(
        (Turn(OPENING), Turn("May a country leave an international treaty that it signed?")),
        frozenset({"law"}),
        False,
        "1",
    ),
]


def test_dialogues_tell_follow_ups_from_changes(octopus: EncoderOctopus) -> None:
    first = Dialogue((Turn(OPENING),), frozenset({"culture"}), None, "1")
    found = evaluate_dialogues(octopus, [*ROWS, first])
    ours = found["**Octopus**"]
    assert ours.recognised_follow_ups == ours.recognised_changes == 1.0
    assert ours.every == Interval(1.0, 1.0, 1.0)
    assert found["last turn only"].changes.mean == 1.0
    assert found["last turn only"].recognised_changes is None
    with pytest.raises(InputError, match="'nowhere'"):
        evaluate_dialogues(octopus, [replace(ROWS[0], accepted=frozenset({"nowhere"}))])


def test_two_lines_stay_where_the_last_turn_is_not_sure(octopus: EncoderOctopus) -> None:
    found = evaluate_dialogues(octopus, ROWS)["two lines"]
    assert (found.follow_ups.mean, found.changes.mean) == (1.0, 1.0)


def test_the_report_has_a_row_for_each_set_and_way(octopus: EncoderOctopus) -> None:
    done: list[float] = []
    report = evaluate_conversations({"A": (octopus, ROWS), "B": (octopus, ROWS)}, done.append)
    assert sum(done) == 1.0
    assert len(report.markdown.splitlines()) == 2 + 2 * 4
    assert "| A | **Octopus** | 100.0 (100.0–100.0) |" in report.markdown
    assert report.figures["B"]["**Octopus**"]["changes"]["mean"] == 1.0


def test_sets_are_read_from_all_their_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no dialogue/sgd"):
        dialogues_in(tmp_path, "sgd")
    (tmp_path / "dialogue").mkdir()
    row = {"id": "x/1", "kind": "first", "accept": ["a"], "messages": [{"role": "user", "content": "What?"}]}
    for half in "ab":
        with gzip.open(tmp_path / "dialogue" / f"sgd_{half}.jsonl.gz", "wt") as file:
            file.write(json.dumps(row) + "\n")
    assert dialogues_in(tmp_path, "sgd") == [Dialogue((Turn("What?"),), frozenset({"a"}), None, "x")] * 2
    assert len(sealed_dialogues()) == 160
