"""Test the text of multiplications and the answers read from it."""

from __future__ import annotations

import random

import pytest

from evaluation.labs.arithmetic import ALPHABET, Problem, answer, draw, read_answer, training_text


def test_an_answer_has_a_column_per_digit() -> None:
    problem = Problem(4673, 8)
    assert problem.prompt == "4673*8="
    assert answer(problem) == "324 758 653 437."


@pytest.mark.parametrize("number", [10000, 99999, 46731, 7])
def test_an_answer_says_the_product(number: int) -> None:
    assert [read_answer(answer(Problem(number, factor))) for factor in range(2, 10)] == [
        number * factor for factor in range(2, 10)
    ]


@pytest.mark.parametrize("text", ["", ".", "324 758", "324 75.", "32a.", "3244."])
def test_what_is_no_answer_says_nothing(text: str) -> None:
    assert read_answer(text) is None


def test_held_out_problems_are_never_trained_on() -> None:
    rng = random.Random(0)
    texts = [training_text(rng) for _ in range(500)]
    trained = {text[:start] for text, start in texts}
    held_out = {draw(rng, held_out=True).prompt for _ in range(500)}
    assert not trained & held_out
    assert set("".join(text for text, _ in texts)) <= set(ALPHABET)
