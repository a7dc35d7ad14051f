"""Everyday questions on times and places, and in other languages: what all functions together say to them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.declaration import ToolError
from tools.reading import UnreadError, read_arguments
from tools.registry import SUBJECTS, functions

NOW = datetime(2027, 3, 10, 9, 30, tzinfo=UTC)
DATA = yaml.safe_load(Path(__file__).with_name("everyday_questions.yaml").read_text(encoding="utf-8"))
DECLINED = DATA.pop("declined")
QUESTIONS = [(group, question, answer) for group, rows in DATA.items() for question, answer in rows]


@cache
def answers(question: str) -> dict[str, Any]:
    """What each function that can read the question answers, by its name."""
    found = {}
    for function in functions(*SUBJECTS):
        try:
            found[function.name] = function.call(**read_arguments(question, function, NOW))
        except (UnreadError, ToolError):
            continue
    return found


def is_right(result: Any, answer: str) -> bool:
    return re.match(re.escape(answer) + r"(?!\w|\.\d)", str(result)) is not None


@pytest.mark.parametrize(("group", "question", "answer"), QUESTIONS, ids=lambda value: str(value))
def test_no_function_answers_wrongly(group: str, question: str, answer: str) -> None:
    wrong = {name: result for name, result in answers(question).items() if not is_right(result, answer)}
    assert not wrong


@pytest.mark.parametrize("group", DATA)
def test_most_questions_are_answered(group: str) -> None:
    allowed = 0.3 if group == "held_out" else 0.15
    unanswered = [question for question, _ in DATA[group] if not answers(question)]
    assert len(unanswered) <= allowed * len(DATA[group]), unanswered


@pytest.mark.parametrize("question", DECLINED)
def test_what_is_not_clear_is_declined(question: str) -> None:
    assert answers(question) == {}
