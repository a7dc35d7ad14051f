"""Calls as text, and how a trained model says it was taught to write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.errors import ArtifactError
from agents.octopus.causal.call_text import MalformedCallError, read_call, write_call
from agents.octopus.causal.manifest import CallFormat
from agents.octopus.tokens import END_TOKEN, defuse, slot_token
from agents.types import NodeName

MASTER = NodeName("octopus")


@given(st.text(min_size=1).filter(lambda text: text.strip()).map(defuse))
def test_every_query_survives(query: str) -> None:
    assert read_call(write_call(query)) == query
    assert read_call(f" {write_call(query)}\n") == query


def test_a_bare_apostrophe_is_itself() -> None:
    assert read_call("('Kenya's capital')") == "Kenya's capital"


@pytest.mark.parametrize(
    "text",
    ["", "(')", "('')", "('  ')", "Nairobi", "('a", "('a')('b", "('a')<nexa_3>('b')", "('<nexa_end>')"],
)
def test_what_is_no_call_is_typed(text: str) -> None:
    with pytest.raises(MalformedCallError):
        read_call(text)


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
    with pytest.raises(ArtifactError, match=r"no master 'law' was trained.*octopus"):
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
