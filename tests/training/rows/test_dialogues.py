"""Read conversations from rows of several forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.errors import InputError, OctopusGraphError
from agents.octopus.conversation.human_turns import Turn
from agents.types import NodeName
from training.rows.dialogues import Dialogue, own_dialogues, read_dialogues, said_in, task_graph_spec

MESSAGES = [
    {"role": "system", "content": "Be short."},
    {"role": "user", "content": "What is the area of Kenya?"},
    {"role": "assistant", "content": "580,000 km²", "name": "places"},
    {"role": "user", "content": [{"type": "text", "text": "Double it."}]},
]
FIRST = Turn("What is the area of Kenya?", "580,000 km²", NodeName("places"))


@pytest.mark.parametrize(
    ("row", "turns"),
    [
        ({"query": "a"}, [Turn("a")]),
        ({"turns": ["a", "b"], "query": "c"}, [Turn("a"), Turn("b")]),
        ({"turns": ["a", "b"], "node": "maths"}, [Turn("a", node=NodeName("maths")), Turn("b")]),
        ({"query": "a", "node": "maths"}, [Turn("a")]),
        ({"messages": MESSAGES, "turns": ["other"]}, [FIRST, Turn("Double it.")]),
    ],
)
def test_the_forms_of_a_row(row: dict[str, Any], turns: list[Turn]) -> None:
    assert said_in(row, "f:1") == turns


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, 'f:1: a row needs "query"'),
        ({"turns": "a"}, "a row needs"),
        ({"turns": ["a", 1]}, "a row needs"),
        ({"query": None}, "a row needs"),
        ({"messages": "a"}, '"messages" is a list'),
        ({"messages": []}, '"messages" is a list'),
        ({"messages": [{"role": "robot", "content": "a"}]}, '"messages" cannot be read'),
        ({"messages": [3]}, '"messages" cannot be read'),
        ({"messages": MESSAGES[:3]}, "the last of the messages must be the user's"),
        ({"turns": ["a", "b"], "node": 3}, '"node", who answered before, is a name, not 3'),
    ],
)
def test_other_rows_are_refused_by_name(row: dict[str, Any], said: str) -> None:
    with pytest.raises(OctopusGraphError, match=said):
        said_in(row, "f:1")


def test_labelled_dialogues(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    row = {"id": "x/7/2", "messages": MESSAGES, "kind": "follow-up", "accept": ["places", "maths"]}
    path.write_text(json.dumps(row) + "\n")
    turns = (FIRST, Turn("Double it."))
    assert read_dialogues(path) == [Dialogue(turns, frozenset({"places", "maths"}), True, "x/7")]
    path.write_text(json.dumps({"id": "x/1", "messages": MESSAGES, "accept": []}) + "\n")
    with pytest.raises(InputError, match=r"rows.jsonl:1: the row has no 'kind'"):
        read_dialogues(path)


def test_every_later_turn_of_our_own_dialogues(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"turns": ["a", "b", "c"], "nodes": ["law", "law", "art"]}) + "\n")
    stays, leaves = own_dialogues(path)
    assert (stays.follows, stays.accepted, len(stays.turns)) == (True, frozenset({"law"}), 2)
    assert (leaves.follows, leaves.accepted, len(leaves.turns)) == (False, frozenset({"art"}), 3)


def test_a_task_graph_is_read_as_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "shops.json"
    path.write_text(json.dumps({"nodes": [{"id": "bread", "desc": "Sells bread."}], "links": []}))
    spec = task_graph_spec(path)
    assert list(spec.nodes[spec.entry].neighbours) == ["bread"]
