"""`octopus eval routing`: all of it, and the report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.octopus.encoder.octopus import EncoderOctopus
from evaluation.conversations.dialogues import DialogueMetrics, evaluate_dialogues
from evaluation.metrics import confusion, measure, places
from evaluation.report import ROUTING_HEADINGS, Report, routing_line, share, table
from evaluation.routing.benchmark import (
    FORMS,
    Advance,
    ExamRows,
    check_nodes,
    evaluate_languages,
    evaluate_natural,
    octopus_predictions,
    plain,
    read_exam,
)
from evaluation.routing.rewriting import evaluate_rewriting
from evaluation.task import load_task
from training.rows.mmlu import mmlu_rows

_TASKS = ("mmlu", "natural", "languages", "dialogues")


def evaluate_routing(
    octopus: EncoderOctopus,
    zero_shot: EncoderOctopus,
    data: Path,
    *,
    limit: int | None = None,
    baselines: bool = True,
    advance: Advance = lambda step: None,
) -> Report:
    """Measure `octopus`, and other routers beside it.

    Args:
        octopus: what is measured.
        zero_shot: the same node without an artifact.
        data: folder with `mmlu/test*.jsonl.gz`, and with `mmlu/dev` and `mmlu/val` for the baselines.
        limit: so many random exam questions.
        baselines: whether other routers are trained and measured.
        advance: called with the share of the work that is done.

    Raises:
        InputError: data is missing, or the graph lacks a node that the rows need.
    """
    rows = read_exam(data, limit=limit)
    nodes = check_nodes(octopus, rows.nodes)
    gold = places(nodes, rows.nodes)
    work = 4 * len(gold) if baselines else 2 * len(gold)
    figures: dict[str, Any] = {"tasks": {name: load_task(name).version for name in _TASKS}, "limit": limit}
    lines, found, pictures = [], {}, {}
    for form, texts in rows.texts.items():
        predictions = octopus_predictions(octopus, [[text] for text in texts], lambda n: advance(n / work))
        found[form] = measure(predictions, gold)
        lines.append(routing_line("**Octopus**", form, found[form]))
        pictures[form] = confusion(predictions.chosen, gold, len(nodes))
    figures["mmlu"] = {"octopus": plain(found)}
    if baselines:
        for line, name, metrics in _baselines(zero_shot, data, rows, gold, lambda n: advance(n / work)):
            lines.append(line)
            figures["mmlu"][name] = metrics
    parts = [table(ROUTING_HEADINGS, lines), *_own_tasks(octopus, figures)]
    return Report("routing", "\n\n".join(parts), figures, {"confusion": (pictures[FORMS[1]], nodes)})


def _baselines(
    zero_shot: EncoderOctopus, data: Path, rows: ExamRows, gold: NDArray[np.int64], advance: Advance
) -> Iterator[tuple[list[str], str, Any]]:
    from evaluation.routing.baselines import (
        Baseline,
        TrainingTexts,
        scikit_baselines,
        semantic_router_baseline,
        tuned_models,
        zero_shot_baseline,
    )

    embed = zero_shot.encoder.embed
    vectors = {}
    for form, texts in rows.texts.items():
        vectors[form] = embed(texts)
        advance(len(texts))
    nodes = [str(neighbour.node) for neighbour in zero_shot.neighbours]

    def measured(baseline: Baseline, rows_of: str) -> Iterator[tuple[list[str], str, Any]]:
        name = f"{baseline.name} ({baseline.settings}{rows_of})"
        metrics = {form: measure(found, gold) for form, found in baseline.predictions.items()}
        for form, own in metrics.items():
            yield routing_line(name, form, own), name, plain(metrics)

    yield from measured(zero_shot_baseline(zero_shot.head, rows.texts, vectors), "")
    with_own = TrainingTexts.of(list(mmlu_rows(data)), nodes, embed)
    exam = with_own.exam_only()
    models = tuned_models(exam)
    for training, rows_of in ((exam, "; dev+val"), (with_own, "; dev+val+own text")):
        for baseline in scikit_baselines(models, training, vectors):
            yield from measured(baseline, rows_of)
        try:
            yield from measured(semantic_router_baseline(training, rows.texts, vectors), rows_of)
        except ImportError:
            name = "semantic-router (not installed)"
            yield [name, "–", *["–"] * (len(ROUTING_HEADINGS) - 2)], name, None


def _own_tasks(octopus: EncoderOctopus, figures: dict[str, Any]) -> Iterator[str]:
    natural = evaluate_natural(octopus)
    figures["natural"] = plain(natural)
    yield table(
        ("natural queries", "rows", "micro %", "95 %", "none %"),
        [
            [kind, str(m.rows), share(m.accuracy), f"{share(m.low)}–{share(m.high)}", share(m.abstained)]
            for kind, m in natural.items()
        ],
    )
    languages = evaluate_languages(octopus)
    figures["languages"] = plain(languages)
    yield table(
        ("language", "rows", "none %", "right among routed %"),
        [[name, str(m.rows), share(m.abstained), share(m.accuracy_routed)] for name, m in languages.items()],
    )
    yield _rewriting_table(octopus, figures)
    dialogues = evaluate_dialogues(octopus, load_task("dialogues").rows())
    figures["dialogues"] = plain(dialogues)
    yield table(
        (
            "last turn of a dialogue",
            "follow-ups %",
            "changes %",
            "all %",
            "read as follow-up %",
            "as change %",
        ),
        [[name, *_dialogue_cells(metrics)] for name, metrics in dialogues.items()],
    )


def _rewriting_table(octopus: EncoderOctopus, figures: dict[str, Any]) -> str:
    rows = {
        "natural queries": [[row["query"]] for row in load_task("natural").rows()],
        "last turn of a dialogue": [row["turns"] for row in load_task("dialogues").rows()],
    }
    found = {name: evaluate_rewriting(octopus, turns) for name, turns in rows.items()}
    figures["rewriting"] = plain(found)
    return table(
        ("on the way to a worker", "rows", "cut %", "changed %", "bypassed %"),
        [[name, str(m.rows), *map(share, (m.cut, m.changed, m.bypassed))] for name, m in found.items()],
    )


def _dialogue_cells(metrics: DialogueMetrics) -> list[str]:
    return [share(value) for value in asdict(metrics).values()]
