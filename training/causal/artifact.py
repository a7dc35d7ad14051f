"""Score a causal Octopus and write what its training makes: adapter, calibration, card, the manifest last.

Rows are scored with the code that serves, so that what is measured is what will run. `merge_adapter` makes a
plain model of an artifact, which any server loads without peft.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.errors import InputError
from agents.octopus.calibration import expected_calibration_error, fit_temperature, fit_threshold, softmax
from agents.octopus.causal.batching import CallRequest
from agents.octopus.causal.grammar import MalformedCallError
from agents.octopus.causal.manifest import (
    CausalManifest,
    CausalMaster,
    is_causal,
    read_manifest,
    write_manifest,
)
from agents.octopus.causal.model import CausalModel
from agents.types import NodeName
from training.causal.call_rows import CallRows, Master
from training.provenance import versions
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


def finish(
    out: Path,
    tuned: Any,
    data: CallRows,
    scores: CallScores,
    master: Master,
    settings: dict[str, Any],
    history: Mapping[str, Any],
) -> CausalManifest:
    """Write the adapter, `metrics.json`, the model card and the manifest, which keeps other masters."""
    others = read_manifest(out).masters if is_causal(out) else {}
    names = [*(name for name in others if name != master.name), master.name]
    known = others.get(master.name)
    adapter = known.adapter if known and known.adapter else f"adapters/{len(names) - 1}"
    tuned.save_pretrained(out / adapter)
    (out / adapter / "README.md").unlink(missing_ok=True)  # an empty template; ours is in the folder above
    manifest = CausalManifest(
        graph=master.graph,
        spec_hash=master.spec_hash,
        before=data.prompts.before,
        after=data.prompts.after,
        masters=others | {master.name: _calibrated(master, data, scores, adapter)},
        training={"rows": len(data.rows), "held_out": len(scores.gold), "settings": settings},
        versions=versions("torch", "transformers", "peft", "tokenizers"),
    )
    figures = {"masters": {str(n): own.metrics for n, own in manifest.masters.items()}, "history": history}
    (out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    (out / "README.md").write_text(_card(manifest), encoding="utf-8")
    write_manifest(out, manifest)
    return manifest


def _calibrated(master: Master, data: CallRows, scores: CallScores, adapter: str) -> CausalMaster:
    """Fit temperature and threshold to the scores of held-out rows."""
    classes = scores.logits.shape[1]
    temperature = fit_temperature(scores.logits, np.arange(classes), classes, scores.gold)
    before, after = softmax(scores.logits), softmax(scores.logits, temperature)
    metrics = scores.figures() | {
        "ece_before": round(expected_calibration_error(before, scores.gold), 4),
        "ece_after": round(expected_calibration_error(after, scores.gold), 4),
    }
    return CausalMaster(
        neighbours=dict(master.neighbours),
        adapter=adapter,
        temperature=temperature,
        threshold=fit_threshold(after, scores.gold),
        abstains=classes == len(data.legal),
        metrics=metrics,
    )


def _card(manifest: CausalManifest) -> str:
    """Describe for people what the folder holds and how good it is."""
    settings = manifest.training["settings"]
    base = settings["base"] or "a tiny Qwen3, trained from nothing"
    lines = [
        f"# Causal Octopus of the graph {manifest.graph}",
        "",
        f"Base: {base}. {manifest.training['rows']} training rows; figures are from "
        f"{manifest.training['held_out']} rows that training did not see.",
        "",
        "| master | neighbours | right routes % | exact calls % | ECE | temperature |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(_card_line(name, own) for name, own in manifest.masters.items()),
        "",
        f'    octopus ask --graph {manifest.graph} --artifact DIR "…"',
        "",
    ]
    return "\n".join(lines)


def _card_line(name: NodeName, own: CausalMaster) -> str:
    figures = own.metrics
    return (
        f"| {name} | {len(own.neighbours)} | {100 * figures['route']:.1f} | {100 * figures['exact']:.1f} "
        f"| {figures['ece_after']:.3f} | {own.temperature:.2f} |"
    )


def merge_adapter(artifact: Path, out: Path, master: str | None = None) -> NodeName:
    """Merge a master's adapter into the base; `out` becomes an artifact of its own for that one master.

    Args:
        artifact: folder that `octopus train functional-tokens` wrote.
        out: the new folder.
        master: the node whose adapter is merged; None takes the only one.

    Raises:
        InputError: there is no such master, or several to choose from.
        ArtifactError: `artifact` is not an artifact.
    """
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    manifest = read_manifest(artifact)
    name = NodeName(master) if master else next(iter(manifest.masters), NodeName(""))
    known = manifest.masters.get(name)
    if known is None or known.adapter is None or (master is None and len(manifest.masters) > 1):
        listed = ", ".join(manifest.masters) or "none"
        raise InputError(f"{master!r} names no adapter of {artifact}.", hint=f"--master is one of: {listed}.")
    base, auto = artifact / manifest.base, AutoModelForCausalLM
    model: Any = PeftModel.from_pretrained(auto.from_pretrained(base, dtype="auto"), artifact / known.adapter)
    model.merge_and_unload().save_pretrained(out)
    for path in base.glob("*token*.json"):
        shutil.copy(path, out / path.name)
    merged = known.model_copy(update={"adapter": None})
    write_manifest(out, manifest.model_copy(update={"base": ".", "masters": {name: merged}}))
    return name
