"""Read recorded answers: questions with what several models answered, as MMLU-Pro publishes them.

A row has question, options, answer (a letter), category, and responses {model: letter}; a letter is "" where
the model's text could not be read, and "NA" where the model was not asked (Wang et al. 2024, arXiv
2406.01574).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.errors import InputError
from training.router.selector_model import SILENT
from training.rows.labelled_rows import read_files

SMALL_MODELS = tuple(
    "Llama-2-7b-hf Meta-Llama-3-8B Meta-Llama-3-8B-Instruct Meta-Llama-3_1-8B Meta-Llama-3_1-8B-Instruct "
    "Mistral-7B-Instruct-v0.1 Mistral-7B-Instruct-v0.2 Mistral-7B-v0.1 Mistral-7B-v0.2-hf "
    "Phi-3-mini-4k-instruct Qwen1.5-7B-Chat Yi-6B Yi-6b-Chat gemma-7b mathstral-7B".split()
)
"""The models of at most 10 billion parameters among those whose answers are published."""

_COLUMNS = ("question", "options", "answer", "category", "responses")


@dataclass(frozen=True)
class RecordedAnswers:
    """Hold n questions and what the models answered.

    Attributes:
        models: by place.
        texts: [n], each question with its options, a line each.
        categories: [n].
        gold: [n], the index of the right option.
        answers: [n, models], places of options, or `SILENT`.
        sources: [n], where each question comes from; "" where the row does not say.
        ids: [n], `question_id`, or the file and line of the row.
        others: [n] whether it is right, for every other model that all rows have answers of.
    """

    models: tuple[str, ...]
    texts: list[str]
    categories: list[str]
    gold: NDArray[np.int64]
    answers: NDArray[np.int64]
    sources: list[str]
    ids: list[Any]
    others: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Tell whether each model is right, [n, models]."""
        return np.asarray(self.answers == self.gold[:, None])

    def pick(self, rows: NDArray[np.bool_]) -> RecordedAnswers:
        """Return the questions where `rows` [n] is true."""
        kept = np.flatnonzero(rows)
        texts, categories, sources, ids = (
            [column[k] for k in kept] for column in (self.texts, self.categories, self.sources, self.ids)
        )
        others = {model: right[kept] for model, right in self.others.items()}
        return RecordedAnswers(
            self.models, texts, categories, self.gold[kept], self.answers[kept], sources, ids, others
        )


def read_recorded(paths: Sequence[Path], models: Sequence[str] = SMALL_MODELS) -> RecordedAnswers:
    """Read all rows of `paths`.

    Raises:
        InputError: names file, line and what is wrong; also when there is no row at all.
    """
    texts, categories, gold, answers, sources, ids, replies = [], [], [], [], [], [], []
    for where, row in read_files(paths):
        _check(row, where, models)
        texts.append("\n".join([row["question"], *row["options"]]))
        categories.append(str(row["category"]))
        gold.append(_place(row["answer"], len(row["options"]), where, silent=False))
        answers.append([_place(row["responses"][m], len(row["options"]), where) for m in models])
        sources.append(str(row.get("src", "")))
        ids.append(row.get("question_id", where))
        replies.append(
            {model: said == row["answer"] for model, said in row["responses"].items() if said != "NA"}
        )
    if not texts:
        raise InputError(f"no rows in {', '.join(map(str, paths)) or 'no file'}.")
    everywhere = sorted(set.intersection(*map(set, replies)) - set(models))
    others = {model: np.array([right[model] for right in replies]) for model in everywhere}
    places = np.array(answers, dtype=np.int64)
    return RecordedAnswers(tuple(models), texts, categories, np.array(gold), places, sources, ids, others)


def _check(row: dict[str, Any], where: str, models: Collection[str]) -> None:
    missing = next((column for column in _COLUMNS if column not in row), None)
    if missing:
        raise InputError(f"{where}: the row has no {missing!r}.")
    for column, kind in (("question", str), ("options", list), ("responses", dict)):
        if not isinstance(row[column], kind):
            raise InputError(f"{where}: {column} must be a {kind.__name__}, not {row[column]!r:.80}.")
    unknown = next((model for model in models if model not in row["responses"]), None)
    if unknown:
        raise InputError(
            f"{where}: there is no answer of {unknown!r}.",
            hint='Write "NA" for a model that was not asked.',
        )


def _place(letter: Any, options: int, where: str, *, silent: bool = True) -> int:
    """Return the index of the option `letter`; a letter beyond the options names none."""
    if isinstance(letter, str) and len(letter) == 1 and 0 <= ord(letter) - ord("A") < options:
        return ord(letter) - ord("A")
    if silent and isinstance(letter, str):
        return SILENT
    raise InputError(f"{where}: {letter!r} is not a letter of one of {options} options.")
