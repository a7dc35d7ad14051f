"""Routing on public exam questions, natural queries and other languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.errors import InputError
from agents.octopus.conversation.human_turns import clean_turns
from agents.octopus.local import LocalOctopus
from evaluation.metrics import NONE, Predictions, RoutingMetrics, measure, places
from evaluation.task import load_task
from training.rows.mmlu import NODE_OF, with_choices

FORMS = ("question", "with choices")
_CHUNK = 256

Advance = Callable[[float], None]


def _no_progress(step: float) -> None:
    """The default of `Advance`."""


@dataclass(frozen=True)
class ExamRows:
    """Exam questions in both forms.

    Attributes:
        texts: by form, [n] queries.
        nodes: [n] right nodes.
    """

    texts: dict[str, list[str]]
    nodes: list[str]


def read_exam(data: Path, *, limit: int | None = None, seed: int = 0) -> ExamRows:
    """MMLU test questions below `data`, or a random `limit` of them.

    Raises:
        InputError: there are none, or one is of an unknown subject.
    """
    rows = load_task("mmlu").rows(data)
    if limit is not None and limit < len(rows):
        chosen = np.sort(np.random.default_rng(seed).permutation(len(rows))[:limit])
        rows = [rows[k] for k in chosen]
    unknown = next((row["subject"] for row in rows if row["subject"] not in NODE_OF), None)
    if unknown is not None:
        raise InputError(f"{unknown!r} is not a subject of MMLU.")
    texts = {FORMS[0]: [row["question"] for row in rows], FORMS[1]: [with_choices(row) for row in rows]}
    return ExamRows(texts, [NODE_OF[row["subject"]] for row in rows])


def octopus_predictions(
    octopus: LocalOctopus, conversations: Sequence[Sequence[str]], advance: Advance = _no_progress
) -> Predictions:
    """What `octopus` decides for each of `conversations`, cascade included."""
    place = {neighbour.node: k for k, neighbour in enumerate(octopus.neighbours)}
    chosen = np.full(len(conversations), NONE, dtype=np.int64)
    scores = np.zeros((len(conversations), len(place)))
    for start in range(0, len(conversations), _CHUNK):
        chunk = [clean_turns(turns) for turns in conversations[start : start + _CHUNK]]
        for row, route in enumerate(octopus.decide_all(chunk), start):
            if route.node is not None:
                chosen[row] = place[route.node]
            for choice in route.choices:
                scores[row, place[choice.node]] = choice.probability
        advance(len(chunk))
    return Predictions(chosen, scores)


def check_nodes(octopus: LocalOctopus, nodes: Sequence[str]) -> list[str]:
    """The octopus's neighbours, in order.

    Raises:
        InputError: one of `nodes` is not among them.
    """
    known = [str(neighbour.node) for neighbour in octopus.neighbours]
    missing = sorted(set(nodes) - set(known))
    if missing:
        raise InputError(
            f"the graph has no neighbour {missing[0]!r}, which the task's rows need.",
            hint="Evaluate a graph with the seventeen nodes of mmlu.",
        )
    return known


def evaluate_natural(octopus: LocalOctopus) -> dict[str, RoutingMetrics]:
    """Metrics of each kind of natural query."""
    task = load_task("natural")
    rows = task.rows()
    return _by_part(octopus, rows, [task.kinds[row["node"]] for row in rows])


@dataclass(frozen=True, slots=True)
class LanguageMetrics:
    """Of one language: rows, the share without a node, and the accuracy of the others if there are any."""

    rows: int
    abstained: float
    accuracy_routed: float | None


def evaluate_languages(octopus: LocalOctopus) -> dict[str, LanguageMetrics]:
    """For each language what share is refused, and how much of the rest is right."""
    rows = load_task("languages").rows()
    found = {}
    for language, metrics in _by_part(octopus, rows, [row["language"] for row in rows]).items():
        routed = 1 - metrics.abstained
        accuracy = metrics.accuracy / routed if routed > 0 else None
        found[language] = LanguageMetrics(metrics.rows, metrics.abstained, accuracy)
    return found


def _by_part(
    octopus: LocalOctopus, rows: Sequence[dict[str, Any]], parts: Sequence[str]
) -> dict[str, RoutingMetrics]:
    nodes = check_nodes(octopus, [row["node"] for row in rows])
    gold = places(nodes, [row["node"] for row in rows])
    predictions = octopus_predictions(octopus, [[row["query"]] for row in rows])
    found = {}
    for part in dict.fromkeys(parts):
        mask = np.array([own == part for own in parts])
        found[part] = measure(Predictions(predictions.chosen[mask], predictions.scores[mask]), gold[mask])
    return found


def plain(value: Any) -> Any:
    """Metrics as JSON values, rounded to four digits."""
    if hasattr(value, "__dataclass_fields__"):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(own) for key, own in value.items()}
    return round(value, 4) if isinstance(value, float) else value
