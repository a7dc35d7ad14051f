"""Score a causal Octopus on rows with the code that serves it, so that what is measured is what will run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.octopus.causal.batching import CallRequest
from agents.octopus.causal.grammar import MalformedCallError
from agents.octopus.causal.model import CausalModel
from training.causal.call_rows import CallRows
from training.rows.labelled_rows import RouterRow

_BATCH = 32


@dataclass(frozen=True)
class CallScores:
    """Hold the scores of n rows.

    Attributes:
        logits: [n, legal].
        gold: [n], the right place in `legal`.
        exact: [n], whether the whole call was right; NaN where it was not generated.
    """

    logits: NDArray[np.float64]
    gold: NDArray[np.int64]
    exact: NDArray[np.float64]

    def figures(self) -> dict[str, float]:
        """Return the shares of right routes and exact calls, in [0, 1]."""
        found = {"route": float((self.logits.argmax(axis=1) == self.gold).mean())}
        if not np.isnan(self.exact).all():
            found["exact"] = float(np.nanmean(self.exact))
        return {name: round(value, 4) for name, value in found.items()}


def serving(model: Any, data: CallRows, adapters: Any = None) -> CausalModel:
    """Wrap `model` as it will serve, with its active adapter if it has one."""
    grammar = data.grammar
    banned = sorted(grammar.tokenizer.special - {grammar.end})
    shared = data.prompts.prompt("").shared
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return CausalModel(base, end=grammar.end, banned=banned, shared=shared, adapters=adapters)


def score_calls(
    model: CausalModel, data: CallRows, rows: Sequence[RouterRow], *, generated: int
) -> CallScores:
    """Score `rows`, generating the calls of the first `generated` of them."""
    none = len(data.legal) - 1
    # Without rows that abstain, `<nexa_end>` is no choice; serving does the same.
    legal = tuple(data.legal if any(row.node is None for row in data.rows) else data.legal[:-1])
    gold = np.array([none if row.node is None else data.places[row.node] for row in rows])
    logits, exact = [], np.full(len(rows), np.nan)
    for start in range(0, len(rows), _BATCH):
        chunk = rows[start : start + _BATCH]
        write = start < generated

        def pick(found: NDArray[np.float64], write: bool = write) -> int | None:
            best = int(found.argmax())
            return best if write and best != none else None

        replies = model.run([CallRequest(data.prompts.prompt(row.query), None, legal, pick) for row in chunk])
        logits += [reply.logits for reply in replies]
        if write:
            outputs = [reply.output for reply in replies]
            exact[start : start + len(chunk)] = list(map(_right, [data] * len(chunk), chunk, outputs))
    return CallScores(np.stack(logits), gold, exact)


def _right(data: CallRows, row: RouterRow, output: tuple[int, ...] | None) -> bool:
    if row.node is None or output is None:
        return row.node is None and output is None
    try:
        call = data.grammar.read(output, data.legal)
    except MalformedCallError:
        return False
    return call.token == data.legal[data.places[row.node]] and call.rewritten == data.rewritten(row)
