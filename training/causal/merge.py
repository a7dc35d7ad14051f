"""Merge a master's adapter into its base: a plain model that any server loads without peft."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from agents.errors import InputError
from agents.octopus.causal.manifest import read_manifest, write_manifest
from agents.types import NodeName


def merge_adapter(artifact: Path, out: Path, master: str | None = None) -> NodeName:
    """Write the merged model to `out`, which is an artifact of its own for that one master.

    Args:
        artifact: what `octopus train functional-tokens` wrote.
        out: the new folder.
        master: whose adapter; None takes the only one.

    Raises:
        InputError: there is no such master, or several to choose from.
        ArtifactError: `artifact` is none.
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
