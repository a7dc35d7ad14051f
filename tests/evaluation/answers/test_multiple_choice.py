"""Test prompts, the letters in replies, and the reading of questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.errors import InputError
from evaluation.answers.multiple_choice import Question, letter_of, prompt, read_questions, read_shots
from tests.evaluation.answers.exam import EXAM, exam_rows, write_rows

QUESTION = Question("abstract_algebra", "first?\n1\n2\n3\n4", "first?\nA. 1\nB. 2\nC. 3\nD. 4", "math", 0)


@pytest.mark.parametrize(
    ("reply", "choice"),
    [
        ("B", 1),
        (" (C) because", 2),
        ("A.", 0),
        ("The answer is D.", 3),
        ("I think that the correct choice: **B**", 1),
        ("It must be C", 2),
        ("A friend of mine", None),
        ("None of these", None),
        ("", None),
    ],
)
def test_letters_are_read(reply: str, choice: int | None) -> None:
    assert letter_of(reply) == choice


def test_the_prompt_is_that_of_the_paper() -> None:
    text = prompt(QUESTION, {"abstract_algebra": ["Q\nA. 1\nAnswer: A"]})
    assert text.startswith(
        "The following are multiple choice questions (with answers) about abstract algebra.\n\nQ"
    )
    assert text.endswith("first?\nA. 1\nB. 2\nC. 3\nD. 4\nAnswer:")


def test_another_block_takes_the_place_of_the_question() -> None:
    assert prompt(QUESTION, {}, "In other words?").endswith("\n\nIn other words?\nAnswer:")


def test_questions_carry_choices_node_and_answer(data: Path) -> None:
    found = read_questions(data)
    assert len(found) == len(EXAM)
    assert found[0].block.splitlines()[1:] == [
        "A. the first",
        "B. the second",
        "C. the third",
        "D. none of them",
    ]
    assert (found[0].node, found[0].gold) == ("physics", 0)
    assert len(read_questions(data, limit=2)) == 2


def test_shots_are_the_first_of_each_subject(data: Path) -> None:
    shots = read_shots(data, 1)
    assert {subject: len(own) for subject, own in shots.items()} == {
        "high_school_physics": 1,
        "international_law": 1,
    }
    assert shots["international_law"][0].endswith("\nAnswer: A")
    assert read_shots(data, 0) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [({"choices": ["one"]}, "1 choices, not 4"), ({"answer": "E"}, "'E' is neither a letter nor a place")],
)
def test_a_bad_row_is_refused(data: Path, change: dict[str, object], said: str) -> None:
    write_rows(data / "mmlu" / "test_b.jsonl.gz", [exam_rows()[0] | change])
    with pytest.raises(InputError, match=said):
        read_questions(data)
