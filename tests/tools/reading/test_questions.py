"""Questions as people type them, read for every function of every subject: right, or declined."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.declaration import ToolError
from tools.reading import UnreadError, read_arguments
from tools.registry import SUBJECTS, functions

DATA = yaml.safe_load(Path(__file__).with_name("typed_questions.yaml").read_text(encoding="utf-8"))
SEALED = [row for row in DATA["questions"] if row["sealed"]]


def answers(question: str) -> dict[str, str]:
    """The result of each function that reads the question and computes."""
    found = {}
    for function in functions(*SUBJECTS):
        try:
            result = function.call(**read_arguments(question, function))
        except (UnreadError, ToolError):
            continue
        found[function.name] = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    return found


def is_right(text: str, answer: str) -> bool:
    """Whether a result begins with an answer; a whole number must not go on."""
    whole = answer[-1].isdigit() and "." not in answer
    return bool(re.match(re.escape(answer) + (r"(?!\d|[.,]\d)" if whole else ""), text))


@pytest.mark.parametrize("row", DATA["questions"], ids=lambda row: row["question"])
def test_no_function_answers_wrongly(row: dict[str, Any]) -> None:
    found = answers(row["question"])
    assert found or row["sealed"]
    assert all(is_right(text, row["answer"]) for text in found.values()), found


def test_most_sealed_questions_are_answered() -> None:
    assert sum(bool(answers(row["question"])) for row in SEALED) >= 0.9 * len(SEALED)


@pytest.mark.parametrize("row", DATA["declined"], ids=lambda row: row["question"])
def test_what_asks_for_more_is_declined(row: dict[str, Any]) -> None:
    assert answers(row["question"]) == {}
