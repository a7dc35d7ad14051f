"""How a trained model says it was taught to read and write, and who may ask it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.errors import ArtifactError
from agents.octopus.causal.manifest import (
    CallFormat,
    CausalManifest,
    CausalMaster,
    is_causal,
    master_of,
    read_manifest,
    write_manifest,
)
from agents.octopus.tokens import END_TOKEN, slot_token
from agents.types import NodeName

MASTER = NodeName("octopus")


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert not is_causal(tmp_path)
    master = CausalMaster(neighbours={NodeName("law"): slot_token(3)}, adapter="adapters/0", threshold=0.2)
    manifest = CausalManifest(before="Q: ", after=" A:", masters={MASTER: master})
    write_manifest(tmp_path, manifest)
    assert is_causal(tmp_path)
    assert read_manifest(tmp_path) == manifest
    assert master_of(tmp_path, manifest, MASTER) == master
    with pytest.raises(ArtifactError, match=r"'law', only octopus"):
        master_of(tmp_path, manifest, NodeName("law"))


def test_a_checkpoint_without_masters_speaks_the_same_for_all(tmp_path: Path) -> None:
    manifest = CausalManifest(before="", after="")
    assert master_of(tmp_path, manifest, NodeName("any")) == CausalMaster(neighbours={})


def test_slots_must_be_told_apart() -> None:
    with pytest.raises(ValueError, match="all functional tokens would be one"):
        CausalManifest(before="", after="", slot="<fn>")


def test_a_format_is_read_from_its_training(tmp_path: Path) -> None:
    manifest = {
        "format": 1,
        "before": "Q: ",
        "after": " A:",
        "slot": "<fn_{slot}>",
        "end": "<fn_end>",
        "masters": {
            "octopus": {
                "neighbours": {},
                "temperature": 1.5,
                "threshold": 0.2,
                "abstains": True,
                "metrics": {"accuracy": 0.9},
            }
        },
    }
    (tmp_path / "octopus.json").write_text(json.dumps(manifest), encoding="utf-8")
    found = CallFormat.read(tmp_path, MASTER)
    assert found == CallFormat("Q: ", " A:", "<fn_{slot}>", "<fn_end>", 512, 1.5, 0.2, True)
    assert (found.spelling(slot_token(4)), found.spelling(END_TOKEN)) == ("<fn_4>", "<fn_end>")
    with pytest.raises(ArtifactError, match=r"master 'law'.*octopus"):
        CallFormat.read(tmp_path, NodeName("law"))


def test_a_query_holds_no_token_that_its_vocabulary_calls_special(tmp_path: Path) -> None:
    manifest = {"before": "", "after": "", "slot": "<fn_{slot}>", "end": "<fn_end>"}
    master = {"neighbours": {"maths": "<nexa_4>"}}
    whole = json.dumps(manifest | {"masters": {"octopus": master}})
    (tmp_path / "octopus.json").write_text(whole, encoding="utf-8")
    text = "2 >>TURN<< <fn_4> <fn_end> <nexa_1> <b> <i>"
    elsewhere = CallFormat.read(tmp_path, MASTER)  # the base is on another machine
    assert elsewhere.harmless(text) == "2 >>TURN<< < fn_4 > < fn_end > < nexa_1 > <b> <i>"
    (tmp_path / "base").mkdir()
    added = [{"content": ">>TURN<<", "special": True}, {"content": "<i>", "special": False}]
    tokenizer = tmp_path / "base" / "tokenizer.json"
    tokenizer.write_text(json.dumps({"added_tokens": added}), encoding="utf-8")
    known = CallFormat.read(tmp_path, MASTER)
    assert known.harmless(text) == "2 > >TURN< < < fn_4 > < fn_end > < nexa_1 > <b> <i>"
    tokenizer.write_text("[]", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"tokenizer\.json: cannot be used"):
        CallFormat.read(tmp_path, MASTER)


def test_a_format_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no causal Octopus here"):
        CallFormat.read(tmp_path, MASTER)
