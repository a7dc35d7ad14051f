"""Write what a training of functional tokens makes: adapter, calibration, model card, and the manifest last.

`merge_adapter` makes a plain model of it, which any server loads without peft.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agents.errors import InputError
from agents.octopus.calibration import expected_calibration_error, fit_temperature, fit_threshold, softmax
from agents.octopus.causal.manifest import (
    CausalManifest,
    CausalMaster,
    is_causal,
    read_manifest,
    write_manifest,
)
from agents.types import NodeName
from training.causal.call_rows import CallRows, Master
from training.causal.call_scores import CallScores
from training.provenance import versions


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
    """Say, for people, what the folder holds and how good it is."""
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
