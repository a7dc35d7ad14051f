"""Test how follow-ups and changes are told apart, and how often queries are cut and rewritten."""

from __future__ import annotations

from dataclasses import replace

from agents.octopus.encoder.octopus import EncoderOctopus
from evaluation.routing.conversations import RewritingMetrics, evaluate_dialogues, evaluate_rewriting

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


def test_dialogues_tell_follow_ups_from_changes(octopus: EncoderOctopus) -> None:
    opening = "Which force keeps the planets in orbit around the sun?"
    rows = [
        {"turns": [opening, "and why is that?"], "nodes": ["physics", "physics"]},
        {
            "turns": [opening, "May a country leave an international treaty that it signed?"],
            "nodes": ["physics", "law"],
        },
    ]
    found = evaluate_dialogues(octopus, rows)
    assert found["octopus"].recognised_follow_ups == found["octopus"].recognised_changes == 1.0
    assert found["octopus"].changes == found["last turn only"].changes == 1.0
    assert found["octopus"].follow_ups == 1.0
    assert found["last turn only"].recognised_changes is None
