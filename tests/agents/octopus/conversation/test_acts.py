"""What a turn does, in the languages that people speak to us."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from agents.octopus.conversation.acts import act_of, without_courtesies
from tools.registry import SUBJECTS, functions

TURNS = yaml.safe_load(Path(__file__).with_name("acts.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("act", "turn"), [(act, turn) for act, turns in TURNS.items() for turn in turns])
def test_a_turn_is_a_question_an_explanation_or_speech(act: str, turn: str) -> None:
    assert act_of(turn) == act


def test_what_tools_answer_is_a_question() -> None:
    asked = [query for function in functions(*SUBJECTS) for query in function.examples]
    assert [query for query in asked if act_of(query) != "question"] == []


@pytest.mark.parametrize(
    ("turn", "asked"),
    [
        ("ok, 12*12?", "12*12?"),
        ("thanks, and what is the capital of France?", "what is the capital of France?"),
        ("What is 12*12? Just the number", "What is 12*12?"),
        ("Hi! How are you? What is 12 * 12?", "What is 12 * 12?"),
        ("what is 20% of 50, thanks", "what is 20% of 50"),
        ("what is 20% of 50 please?", "what is 20% of 50?"),
        ("谢谢，那么秘鲁呢？", "那么秘鲁呢？"),
        ('base64 decode "!!!"', 'base64 decode "!!!"'),
        ("ok in feet?", "ok in feet?"),
        ("Thanks!", "Thanks!"),
    ],
)
def test_courtesies_around_a_question_are_left_out(turn: str, asked: str) -> None:
    assert without_courtesies(turn) == asked
