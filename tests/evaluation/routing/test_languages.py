"""Exam questions in other languages: shares by language and form, from an Octopus that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from agents.types import Decision, NodeName
from evaluation.routing.side_by_side import measure_languages, node_of
from evaluation.task import load_task


class ByLength:
    """Route texts with choices to biology, others to history."""

    neighbours = ()

    def decide_all(self, conversations: Sequence[Sequence[str]]) -> list[Decision]:
        nodes = [NodeName("biology" if "\n" in turns[-1] else "history") for turns in conversations]
        return [Decision(node, None, 1.0, "", "", "token", True, ()) for node in nodes]


ROWS: list[dict[str, Any]] = [
    {"lang": "de", "group": "biology", "question": "Was ist ein Enzym?", "choices": ["a", "b"]},
    {"lang": "de", "group": "history", "question": "Wer war Cäsar?", "choices": ["a", "b"]},
    {"lang": "zh", "group": "history", "question": "秦始皇是谁？", "choices": ["a", "b"]},
]


def test_shares_are_of_each_language_and_form() -> None:
    steps: list[float] = []
    shares, right = measure_languages(ByLength(), ROWS, steps.append)  # type: ignore[arg-type]
    assert right.tolist() == [[False, True], [True, False], [True, False]]
    assert (shares["de"].rows, shares["de"].question, shares["de"].with_choices) == (2, 0.5, 0.5)
    assert (shares["zh"].question, shares["zh"].with_choices) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("group", "node"),
    [
        ("computer science", "computer_science"),
        ("engineering", "electrical_engineering"),
        ("other", "general"),
    ],
)
def test_groups_are_nodes_of_the_mmlu_graph(group: str, node: str) -> None:
    assert node_of(group) == node


def test_the_task_says_that_it_only_measures() -> None:
    assert "only" in load_task("exams").licence
