"""Measure routing: `octopus eval routing`, on public exam questions and on the project's own tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agents.octopus.encoder.octopus import EncoderOctopus, LocalOctopus
from evaluation.report import Advance, Report, no_progress, plain, share, table, tabulate
from evaluation.routing.conversations import (
    HEADINGS,
    dialogue_cells,
    evaluate_dialogues,
    evaluate_rewriting,
    sealed_dialogues,
)
from evaluation.routing.metrics import (
    COLUMNS,
    RoutingMetrics,
    check_nodes,
    confusion,
    draw_confusion,
    measure,
    places,
    predict,
)
from evaluation.task import load_task, read_exam
from training.rows.mmlu import NODE_OF, mmlu_rows, with_choices

FORMS = ("question", "with choices")
_OURS = "**Octopus**"
_TASKS = ("mmlu", "natural", "languages", "dialogues")


def read_forms(data: Path, *, limit: int | None = None) -> tuple[dict[str, list[str]], list[str]]:
    """Return MMLU's test questions below `data` by form, and their right nodes."""
    rows = read_exam(data, limit=limit)
    texts = {FORMS[0]: [row["question"] for row in rows], FORMS[1]: [with_choices(row) for row in rows]}
    return texts, [NODE_OF[row["subject"]] for row in rows]


def evaluate_routing(
    octopus: EncoderOctopus,
    zero_shot: EncoderOctopus,
    data: Path,
    *,
    limit: int | None = None,
    baselines: bool = True,
    advance: Advance = no_progress,
) -> Report:
    """Measure `octopus`, and other routers beside it.

    Args:
        octopus: what is measured.
        zero_shot: the same node without an artifact.
        data: folder with `mmlu/test*.jsonl.gz`, and with `mmlu/dev` and `mmlu/val` for the baselines.
        limit: number of random exam questions.
        baselines: whether other routers are trained and measured.
        advance: called with the share of the work that is done.

    Raises:
        InputError: data is missing, or the graph lacks a node that the rows need.
    """
    texts, right = read_forms(data, limit=limit)
    nodes = check_nodes(octopus, right)
    gold = places(nodes, right)
    work = len(gold) * len(FORMS) * (2 if baselines else 1)
    found: dict[str, dict[str, RoutingMetrics]] = {_OURS: {}}
    for form, queries in texts.items():
        routed = predict(octopus, [[query] for query in queries], lambda step: advance(step / work))
        found[_OURS][form] = measure(routed, gold)
    counts = confusion(routed.chosen, gold, len(nodes))  # of the last form
    if baselines:
        from evaluation.routing.baselines import measure_baselines

        rows = mmlu_rows(data)
        found |= measure_baselines(zero_shot, rows, texts, gold, lambda step: advance(step / work))
    figures: dict[str, Any] = {"tasks": {name: load_task(name).version for name in _TASKS}, "limit": limit}
    figures["mmlu"] = {
        "octopus" if name == _OURS else name: plain(own) or None for name, own in found.items()
    }
    exam = table(("router", "form", *COLUMNS), list(_cells(found)))
    picture = {"routing-confusion.png": partial(draw_confusion, counts=counts, nodes=nodes)}
    return Report("routing", "\n\n".join([exam, *_own_tasks(octopus, figures)]), figures, picture)


def _cells(found: Mapping[str, Mapping[str, RoutingMetrics]]) -> Iterator[list[str]]:
    """Yield a line for each router and form; dashes where the router is not installed."""
    for router, by_form in found.items():
        for form, metrics in by_form.items():
            yield [router, form, *(write(metrics) for write in COLUMNS.values())]
        if not by_form:
            yield [router, *["–"] * (1 + len(COLUMNS))]


def _own_tasks(octopus: EncoderOctopus, figures: dict[str, Any]) -> Iterator[str]:
    """Yield the tables of natural queries, languages, rewriting and dialogues, and add their figures."""
    natural = evaluate_natural(octopus)
    languages = evaluate_languages(octopus)
    dialogues = load_task("dialogues").rows()
    rewriting = {
        "natural queries": evaluate_rewriting(octopus, [[r["query"]] for r in load_task("natural").rows()]),
        "last turn of a dialogue": evaluate_rewriting(octopus, [row["turns"] for row in dialogues]),
    }
    conversations = evaluate_dialogues(octopus, sealed_dialogues())
    figures |= {
        "natural": plain(natural),
        "languages": plain(languages),
        "rewriting": plain(rewriting),
        "dialogues": plain(conversations),
    }
    columns = {name: COLUMNS[name] for name in ("micro %", "95 %", "none %")}
    yield tabulate("natural queries", natural, {"rows": lambda m: str(m.rows), **columns})
    yield tabulate(
        "language",
        languages,
        {
            "rows": lambda m: str(m.rows),
            "none %": lambda m: share(m.abstained),
            "right among routed %": lambda m: share(m.accuracy_routed),
        },
    )
    yield tabulate(
        "on the way to a worker",
        rewriting,
        {
            "rows": lambda m: str(m.rows),
            "cut %": lambda m: share(m.cut),
            "changed %": lambda m: share(m.changed),
            "bypassed %": lambda m: share(m.bypassed),
        },
    )
    cells = [[name, *dialogue_cells(own)] for name, own in conversations.items()]
    yield table(("last turn of a dialogue", *HEADINGS), cells)


def evaluate_natural(octopus: LocalOctopus) -> dict[str, RoutingMetrics]:
    """Return metrics of each kind of natural query."""
    task = load_task("natural")
    rows = task.rows()
    return _by_part(octopus, rows, [task.kinds[row["node"]] for row in rows])


@dataclass(frozen=True, slots=True)
class LanguageMetrics:
    """Hold rows of a language, the share without a node, and the accuracy of the others if there are any."""

    rows: int
    abstained: float
    accuracy_routed: float | None


def evaluate_languages(octopus: LocalOctopus) -> dict[str, LanguageMetrics]:
    """Return for each language what share is refused, and how much of the rest is right."""
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
    """Return the metrics of each part, given the part of each row."""
    gold = places(check_nodes(octopus, [row["node"] for row in rows]), [row["node"] for row in rows])
    predictions = predict(octopus, [[row["query"]] for row in rows])
    own = np.array(parts)
    return {part: measure(predictions[own == part], gold[own == part]) for part in dict.fromkeys(parts)}
