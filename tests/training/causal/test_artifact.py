"""Check scores of rows, and that an artifact is complete, takes further masters, and can be merged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from agents.errors import ArtifactError, InputError
from agents.octopus.causal.manifest import read_manifest
from agents.types import NodeName
from tests.training.causal.subjects import ROWS, in_ids, train
from training.rows.labelled_rows import RouterRow

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


def test_the_folder_is_complete(folder: Path) -> None:
    manifest = read_manifest(folder)
    own = manifest.masters[NodeName("octopus")]
    assert own.neighbours[NodeName("math")] == "<nexa_0>"
    assert set(own.metrics) == {"route", "exact", "ece_before", "ece_after"}
    assert "Causal Octopus of the graph subjects" in (folder / "README.md").read_text()
    history = json.loads((folder / "metrics.json").read_text())["history"]
    assert [figures["step"] for figures in history["base"]] == [3, 6]
    assert [figures["step"] for figures in history["adapter"]] == [2, 4]
    assert not (folder / "checkpoint" / "state.pt").exists()


def test_a_second_master_shares_the_base(folder: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shutil.copytree(folder, shared)
    weights = (shared / "base" / "model.safetensors").read_bytes()
    manifest = train(shared, "other")
    assert set(manifest.masters) == {"octopus", "other"}
    assert manifest.masters[NodeName("other")].adapter == "adapters/1"
    assert (shared / "base" / "model.safetensors").read_bytes() == weights


def test_merging_changes_no_decision(folder: Path, tmp_path: Path) -> None:
    from agents.octopus.causal.artifact import open_causal
    from agents.octopus.causal.batching import CallRequest
    from training.causal.artifact import merge_adapter

    merge_adapter(folder, tmp_path)
    name, query, found = NodeName("octopus"), "What is the molar mass of ozone?", []
    for place in (folder, tmp_path):
        artifact = open_causal(place)
        tokens = artifact.manifest.masters[name].neighbours
        vocabulary = artifact.parts.prompts.tokenizer
        legal = tuple(k for token in tokens.values() if (k := vocabulary.token_id(token)) is not None)
        prompt = artifact.parts.prompts.prompt(query)
        request = CallRequest(prompt, artifact.manifest.masters[name].adapter, legal, lambda logits: 0)
        found.append(artifact.parts.batcher.ask([request])[0])
    assert found[0].logits == pytest.approx(found[1].logits, abs=1e-4)
    assert found[0].output == found[1].output
    assert read_manifest(tmp_path).masters[name].adapter is None


def test_the_master_to_merge_must_be_known(folder: Path, tmp_path: Path) -> None:
    from training.causal.artifact import merge_adapter

    with pytest.raises(InputError, match=r"'other' names no adapter.*octopus"):
        merge_adapter(folder, tmp_path / "merged", "other")
    with pytest.raises(ArtifactError):
        merge_adapter(tmp_path, tmp_path / "merged")


def test_calls_that_were_not_generated_do_not_count() -> None:
    from training.causal.artifact import CallScores

    logits, gold = np.array([[2.0, 1.0], [2.0, 1.0], [1.0, 2.0]]), np.array([0, 1, 1])
    assert CallScores(logits, gold, np.full(3, np.nan)).figures() == {"route": 0.6667}
    exact = np.array([1.0, 0.0, np.nan])
    assert CallScores(logits, gold, exact).figures() == {"route": 0.6667, "exact": 0.5}


@pytest.mark.parametrize("abstain", [True, False])
def test_ending_is_a_choice_only_where_rows_abstain(tmp_path: Path, abstain: bool) -> None:
    from training.causal.artifact import score_calls, serving
    from training.causal.base import bake_tiny

    rows = [*ROWS[:6], RouterRow(query="zzz", node=None)] if abstain else ROWS[:6]
    data = in_ids(tmp_path / "ids", rows)
    model = bake_tiny(tmp_path / "model", [row.query for row in ROWS], slots=8, seed=0)
    scores = score_calls(serving(model, data), data, rows, generated=3)
    assert scores.logits.shape == (len(rows), len(data.legal) - (not abstain))
    assert scores.gold[0] == data.places[str(rows[0].node)]
    assert not np.isnan(scores.exact[:3]).any()
    assert np.isfinite(scores.logits).all()
