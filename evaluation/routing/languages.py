"""Measure routing of exam questions in other languages, with the extra `languages` and without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.octopus.encoder.octopus import LocalOctopus
from evaluation.report import Advance, Report, interval, no_progress, share, share_and_span, table
from evaluation.routing.metrics import decide_each
from evaluation.task import load_task
from training.rows.mmlu import with_choices

FORMS = ("question", "with choices")


@dataclass(frozen=True, slots=True)
class LanguageShare:
    """Hold the share of `rows` questions that went to the right node, alone and with their choices."""

    rows: int
    question: float
    with_choices: float


def node_of(group: str) -> str:
    """Return the node of the mmlu graph for a group of MMLU's subjects."""
    named = {"other": "general", "engineering": "electrical_engineering"}
    return named.get(group, group.replace(" ", "_"))


def measure_languages(
    octopus: LocalOctopus, rows: Sequence[dict[str, Any]], advance: Advance
) -> tuple[dict[str, LanguageShare], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Route every question in both forms.

    Returns:
        The shares of each language, and what is right [rows, forms].
    """
    gold, languages = [node_of(row["group"]) for row in rows], np.array([row["lang"] for row in rows])
    right = []
    for texts in ([row["question"] for row in rows], [with_choices(row) for row in rows]):
        found = decide_each(octopus, [[text] for text in texts], lambda n: advance(n / len(rows) / 2))
        right.append([decision.node == node for decision, node in zip(found, gold, strict=True)])
    both = np.array(right).T
    shares = {
        str(language): LanguageShare(int(own.sum()), *map(float, both[own].mean(axis=0)))
        for language in np.unique(languages)
        for own in [languages == language]
    }
    return shares, both


def evaluate_languages(
    octopuses: Mapping[str, LocalOctopus], data: Path | None, advance: Advance = no_progress
) -> Report:
    """Measure each of `octopuses`, by its name, on the task `exams`.

    Raises:
        InputError: the questions are missing.
    """
    rows = load_task("exams").rows(data)
    figures: dict[str, Any] = {}
    lines = []
    for name, octopus in octopuses.items():
        shares, both = measure_languages(octopus, rows, lambda step: advance(step / len(octopuses)))
        figures[name] = {
            language: {"rows": one.rows, "question": one.question, "with_choices": one.with_choices}
            for language, one in shares.items()
        }
        found = [interval(both[:, form].tolist()) for form in range(len(FORMS))]
        lines.append([name, "all", str(len(rows)), *map(share_and_span, found)])
        lines += [
            [name, language, str(one.rows), share(one.question), share(one.with_choices)]
            for language, one in shares.items()
        ]
    title = ["router", "language", "questions", *FORMS]
    return Report("languages", f"# Exam questions in other languages\n\n{table(title, lines)}\n", figures)
