"""A selector over recorded answers beside the best single model, plain votes, the oracle and chance."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.errors import InputError
from evaluation.intervals import Gain, paired_gain
from evaluation.metrics import bootstrap_interval
from evaluation.report import Report, share, table
from training.router.selector import Picked
from training.router.selector_model import SILENT, Selector, SelectorManifest, digests
from training.rows.recorded import RecordedAnswers

MMLU_SOURCE = "ori_mmlu-"
"""How `src` begins where MMLU-Pro repeats a test question of MMLU."""


@dataclass(frozen=True)
class Contender:
    """A way to answer: [n] whether it is right (a share for a random pick), and calls per question."""

    name: str
    right: NDArray[Any]
    calls: float


def unseen(data: RecordedAnswers, selector: Selector) -> RecordedAnswers:
    """The rows that `selector` was not trained on.

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


def report_recorded(
    data: RecordedAnswers, picked: Picked, panel: Sequence[int], how: str, left_out: int = 0
) -> Report:
    """The comparison, on all rows and on those that MMLU does not have.

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
    figures: dict[str, Any] = {"how": how, "left_out": left_out, "models": list(data.models)}
    tables = []
    for name, mask in parts.items():
        contenders = list(_contenders(data, picked, panel, mask))
        lines, figures[name] = [], {"rows": int(mask.sum())}
        best = contenders[0].right.astype(bool)
        for contender in contenders:
            cells, values = _measured(contender, best)
            lines.append([contender.name, *cells])
            figures[name][contender.name] = values
        heading = f"{name} ({int(mask.sum())})"
        tables.append(table((heading, "right %", "95 %", "gain (95 %)", "calls"), lines))
    return Report("answers-recorded", "\n\n".join([f"{how}.", *tables]), figures)


def _contenders(
    data: RecordedAnswers, picked: Picked, panel: Sequence[int], mask: NDArray[np.bool_]
) -> Iterator[Contender]:
    """The best single model, by hindsight on these rows, comes first."""
    rows = np.flatnonzero(mask)
    right = data.right[rows]
    best = int(right.mean(axis=0).argmax())
    yield Contender(f"best single model ({data.models[best]})", right[:, best], 1.0)
    places = np.arange(len(rows))
    yield Contender("**Octopus**, one call", right[places, picked.one[rows]], 1.0)
    calls = float(picked.calls[rows].mean())
    yield Contender("**Octopus**, agreement of a panel", right[places, picked.agreed[rows]], calls)
    majority = _majority(data.answers[rows][:, list(panel)]) == data.gold[rows]
    yield Contender("plain majority of that panel", majority, float(len(panel)))
    yield Contender("best model per gold category, by hindsight", _by_category(data, rows), 1.0)
    yield Contender("random model", right.mean(axis=1), 1.0)
    yield Contender("oracle", np.asarray(right.any(axis=1)), 1.0)


def _majority(answers: NDArray[np.int64]) -> NDArray[np.int64]:
    """[n], the option that most of [n, models] gave; a tie goes to the first model."""
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


def _measured(contender: Contender, best: NDArray[np.bool_]) -> tuple[list[str], dict[str, Any]]:
    mean = float(contender.right.mean())
    values: dict[str, Any] = {"right": round(mean, 4), "calls": round(contender.calls, 2)}
    if contender.right.dtype != bool:  # an expectation, not answers
        return [share(mean), "–", "–", f"{contender.calls:.1f}"], values
    right = contender.right.astype(bool)
    low, high = bootstrap_interval(right)
    gain = paired_gain(right, best)
    values["gain"] = {key: round(value, 4) for key, value in asdict(gain).items()}
    cells = [share(mean), f"{share(low)}–{share(high)}", show_gain(gain), f"{contender.calls:.1f}"]
    return cells, values


def show_gain(gain: Gain) -> str:
    """In percentage points, with its interval."""
    return f"{100 * gain.mean:+.1f} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"


def write_picks(path: Path, data: RecordedAnswers, picked: Picked) -> None:
    """A row for each question: whom one call would go to, whose answer the panel's is, and its calls."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for row, question in enumerate(data.ids):
            one, agreed = (data.models[own[row]] for own in (picked.one, picked.agreed))
            said = {
                "question_id": question,
                "one_call": one,
                "agreement": agreed,
                "calls": int(picked.calls[row]),
            }
            file.write(json.dumps(said) + "\n")


def picked_by(
    selector: Selector, manifest: SelectorManifest, data: RecordedAnswers, inputs: NDArray[np.floating]
) -> Picked:
    """What a trained selector picks for rows with embeddings `inputs` [n, d]."""
    agreed, calls = selector.agree(inputs, data.answers, manifest.panel)
    return Picked(selector.choose(inputs), agreed, calls)
