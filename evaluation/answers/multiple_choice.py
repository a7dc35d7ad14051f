"""Write the few-shot prompts of MMLU, and read the letters in replies.

Source: D. Hendrycks et al., Measuring Massive Multitask Language Understanding, 2021, arXiv 2009.03300.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.errors import InputError
from evaluation.task import read_exam
from training.rows.labelled_rows import read_json_lines
from training.rows.mmlu import NODE_OF, with_choices

LETTERS = "ABCD"

_STRICT = re.compile(r"\s*\(?(?!A\s+[a-z])([A-D])(?![A-Za-z0-9])")
_SAID = re.compile(r"(?i:answer|choice|option)(?i:\s+is)?\s*[:=]?\s*\**\(?([A-D])(?![A-Za-z0-9])")
_ALONE = re.compile(r"(?<![A-Za-z0-9])\(?([B-D])(?![A-Za-z0-9'’])|(?<![A-Za-z0-9])\(?(A)[).:](?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Question:
    """Hold a question with four choices.

    Attributes:
        text: the question and its choices as the Octopus reads them.
        block: the same with letters, as workers read it.
        node: the specialist of its subject's group.
        gold: index of the right choice.
    """

    subject: str
    text: str
    block: str
    node: str
    gold: int


Shots = Mapping[str, Sequence[str]]
"""Maps a subject to solved examples, each a block with its answer."""


def lettered(row: Mapping[str, Any]) -> str:
    """Return the question and its choices behind letters, a line each."""
    choices = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, row["choices"], strict=True)]
    return "\n".join([row["question"], *choices])


def prompt(question: Question, shots: Shots, block: str | None = None) -> str:
    """Return the paper's prompt: a headline, solved examples, and the question up to "Answer:".

    Args:
        question: what is asked.
        shots: solved examples.
        block: the question in other words, as an Octopus rewrote it.
    """
    subject = question.subject.replace("_", " ")
    head = f"The following are multiple choice questions (with answers) about {subject}."
    return "\n\n".join([head, *shots.get(question.subject, ()), f"{block or question.block}\nAnswer:"])


def letter_of(reply: str) -> int | None:
    """Return the index of the choice that `reply` names: its first letter, "answer is B", or a lone "B"."""
    if match := _STRICT.match(reply):
        return LETTERS.index(match[1])
    for pattern in (_SAID, _ALONE):
        if found := pattern.findall(reply):
            last = found[-1] if isinstance(found[-1], str) else "".join(found[-1])
            return LETTERS.index(last)
    return None


def read_questions(data: Path, *, limit: int | None = None, seed: int = 0) -> list[Question]:
    """Return MMLU's test questions below `data`, or a random `limit` of them.

    Raises:
        InputError: there are none, or one is malformed.
    """
    return [_question(row) for row in read_exam(data, limit=limit, seed=seed)]


def read_shots(data: Path, count: int) -> dict[str, list[str]]:
    """Return the first `count` solved examples of each subject in `mmlu/dev`."""
    path = data / "mmlu" / "dev.jsonl.gz"
    found: dict[str, list[str]] = defaultdict(list)
    for _, row in read_json_lines(path) if count else ():
        if len(found[row["subject"]]) < count:
            found[row["subject"]].append(f"{lettered(row)}\nAnswer: {LETTERS[_gold(row)]}")
    return dict(found)


def _question(row: dict[str, Any]) -> Question:
    if len(row["choices"]) != len(LETTERS):
        raise InputError(f"{row['question']!r:.60} has {len(row['choices'])} choices, not {len(LETTERS)}.")
    return Question(row["subject"], with_choices(row), lettered(row), NODE_OF[row["subject"]], _gold(row))


def _gold(row: Mapping[str, Any]) -> int:
    answer = row.get("answer")
    if isinstance(answer, str) and answer in LETTERS and answer:
        return LETTERS.index(answer)
    if isinstance(answer, int) and 0 <= answer < len(LETTERS):
        return answer
    raise InputError(f"{row['question']!r:.60}: the answer {answer!r} is neither a letter nor a place.")
