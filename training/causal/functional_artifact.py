"""What a training of functional tokens leaves: adapter, calibration, card, and the manifest last."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.octopus.calibration import expected_calibration_error, fit_temperature, fit_threshold, softmax
from agents.octopus.causal.manifest import (
    CausalManifest,
    CausalMaster,
    is_causal,
    read_manifest,
    write_manifest,
)
from agents.types import NodeName
from training.causal.call_rows import CallRows
from training.causal.call_scores import CallScores
from training.router.trainer import package_version

if TYPE_CHECKING:
    from training.causal.functional_tokens import Master

_LIBRARIES = ("torch", "transformers", "peft", "tokenizers")


def finish(
    out: Path,
    tuned: Any,
    data: CallRows,
    scores: CallScores,
    master: Master,
    settings: dict[str, Any],
    history: Mapping[str, Any],
) -> CausalManifest:
    """Write the adapter, `metrics.json`, the card and the manifest, in which other masters stay."""
    others = read_manifest(out).masters if is_causal(out) else {}
    names = [*(name for name in others if name != master.name), master.name]
    known = others.get(master.name)
    adapter = known.adapter if known and known.adapter else f"adapters/{len(names) - 1}"
    tuned.save_pretrained(out / adapter)
    (out / adapter / "README.md").unlink(missing_ok=True)  # an empty form; ours is in the folder above
    manifest = CausalManifest(
        graph=master.graph,
        spec_hash=master.spec_hash,
        before=data.prompts.before,
        after=data.prompts.after,
        masters=others | {master.name: _calibrated(master, data, scores, adapter)},
        training={"rows": len(data.rows), "held_out": len(scores.gold), "settings": settings},
        versions={"python": platform.python_version()} | {name: package_version(name) for name in _LIBRARIES},
    )
    figures = {"masters": {str(n): own.metrics for n, own in manifest.masters.items()}, "history": history}
    (out / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    (out / "README.md").write_text(card(manifest), encoding="utf-8")
    write_manifest(out, manifest)
    return manifest


def _calibrated(master: Master, data: CallRows, scores: CallScores, adapter: str) -> CausalMaster:
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


def card(manifest: CausalManifest) -> str:
    """What the folder holds and how good it is, for people."""
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
