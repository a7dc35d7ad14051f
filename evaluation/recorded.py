"""Compare a selector over recorded answers with the best single model, plain votes, the oracle and chance."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.errors import InputError
from evaluation.report import STANDING_COLUMNS, Report, Standing, tabulate
from training.router.recorded import RecordedAnswers
from training.router.selector import Picked
from training.router.selector_model import SILENT, Selector, SelectorManifest, digests

MMLU_SOURCE = "ori_mmlu-"
"""Begins `src` where MMLU-Pro repeats a test question of MMLU."""


def unseen(data: RecordedAnswers, selector: Selector) -> RecordedAnswers:
    """Return the rows that `selector` was not trained on.

    Raises:
        InputError: there is none.
    """
    new = ~np.isin(digests(data.texts), selector.seen)
    if not new.any():
        raise InputError(
            "the selector was trained on every one of these rows.",
            hint="Give other rows, or leave --selector out to cross-validate on them.",
        )
    return data.pick(new)


def picked_by(
    selector: Selector, manifest: SelectorManifest, data: RecordedAnswers, inputs: NDArray[np.floating]
) -> Picked:
    """Return what a trained selector picks for rows with embeddings `inputs` [n, d]."""
    agreed, calls = selector.agree(inputs, data.answers, manifest.panel)
    return Picked(selector.choose(inputs), agreed, calls)


def write_picks(path: Path, data: RecordedAnswers, picked: Picked) -> None:
    """Write for each question whom one call would go to, whose answer the panel's is, and its calls."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for row, question in enumerate(data.ids):
            said = {
                "question_id": question,
                "one_call": data.models[picked.one[row]],
                "agreement": data.models[picked.agreed[row]],
                "calls": int(picked.calls[row]),
            }
            file.write(json.dumps(said) + "\n")


def report_recorded(
    data: RecordedAnswers, picked: Picked, panel: Sequence[int], how: str, left_out: int = 0
) -> Report:
    """Report the comparison, on all rows and on those that MMLU does not have.

    Args:
        data: the rows.
        picked: what was picked for them, by selectors that did not see them.
        panel: places of the models whose plain majority is shown.
        how: how `picked` came about, for the report.
        left_out: rows that were not measured because training had seen them.
    """
    parts = {"all rows": np.ones(len(data.gold), dtype=bool)}
    own = np.array([not source.startswith(MMLU_SOURCE) for source in data.sources])
    if own.any() and not own.all():
        parts["rows not from MMLU"] = own
    columns = {**STANDING_COLUMNS, "calls": lambda own: f"{own.calls:.1f}"}
    figures: dict[str, Any] = {"how": how, "left_out": left_out, "models": list(data.models)}
    tables = []
    for name, mask in parts.items():
        rows = np.flatnonzero(mask)
        standings = _standings(data, picked, panel, rows)
        tables.append(tabulate(f"{name} ({len(rows)})", standings, columns))
        figures[name] = {"rows": len(rows)} | {key: own.figures for key, own in standings.items()}
    return Report("answers-recorded", "\n\n".join([f"{how}.", *tables]), figures)


def _standings(
    data: RecordedAnswers, picked: Picked, panel: Sequence[int], rows: NDArray[np.int64]
) -> dict[str, Standing]:
    """Compare all ways to answer `rows` with the best single model, by hindsight on these rows."""
    right = data.right[rows]
    best = int(right.mean(axis=0).argmax())
    places = np.arange(len(rows))
    majority = _majority(data.answers[rows][:, list(panel)]) == data.gold[rows]
    ways: dict[str, tuple[NDArray[Any], float]] = {
        f"best single model ({data.models[best]})": (right[:, best], 1.0),
        "**Octopus**, one call": (right[places, picked.one[rows]], 1.0),
        "**Octopus**, agreement of a panel": (
            right[places, picked.agreed[rows]],
            float(picked.calls[rows].mean()),
        ),
        "plain majority of that panel": (majority, float(len(panel))),
        "best model per gold category, by hindsight": (_by_category(data, rows), 1.0),
        "random model": (right.mean(axis=1), 1.0),
        "oracle": (np.asarray(right.any(axis=1)), 1.0),
    }
    ways |= {f"{model}, outside the pool": (own[rows], 1.0) for model, own in data.others.items()}
    return {name: Standing.of(own, right[:, best], calls) for name, (own, calls) in ways.items()}


def _majority(answers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return [n], the option that most of [n, models] gave; a tie goes to the first model."""
    found = []
    for row in answers.tolist():
        counts = Counter(option for option in row if option != SILENT)
        found.append(counts.most_common(1)[0][0] if counts else SILENT)
    return np.array(found, dtype=np.int64)


def _by_category(data: RecordedAnswers, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    right, names = data.right[rows], np.array(data.categories)[rows]
    found = np.zeros(len(rows), dtype=bool)
    for name in np.unique(names):
        own = names == name
        found[own] = right[own][:, right[own].mean(axis=0).argmax()]
    return found
