"""LATS takes its published steps, on scripted parts, so that each step can be foreseen."""

from __future__ import annotations

import json
import math
from typing import cast

import pytest

from agents.reflection.lats import Lats, backpropagate, path, uct
from agents.reflection.loop import Budget, follow, take
from agents.reflection.types import Parts, ReflectionState, TreeNode, new_state
from tests.agents.reflection.scripted import (
    LetterStepper,
    ScriptedCritic,
    ScriptedGenerator,
    ScriptedVerifier,
)


async def test_lats_finds_the_path_that_passes() -> None:
    parts = Parts(ScriptedGenerator(["bbb"]), ScriptedCritic(), ScriptedVerifier(("aab",)), LetterStepper())
    algorithm, state, done = Lats(parts, Budget(rounds=30, tokens=1000)), new_state("q"), None
    taken: list[str] = []
    while name := follow(algorithm, done, state):
        state = cast(ReflectionState, {**state, **await take(algorithm, name, state)})
        taken.append(name)
        done = name
    assert state["reason"] == "the verifier passed it"
    assert state["rounds"][-1]["draft"] == "aab"
    assert taken[:9] == [
        *("draft", "verify", "backpropagate", "reflect"),
        *("select", "expand", "evaluate", "simulate", "verify"),
    ]
    assert json.loads(json.dumps(state["tree"])) == state["tree"]
    assert [node["text"] for node in state["tree"][:3]] == ["", "a", "b"]


def test_uct_and_back_propagation() -> None:
    def node(parent: int | None, text: str, visits: int, value: float, complete: bool = False) -> TreeNode:
        return TreeNode(parent=parent, text=text, visits=visits, value=value, complete=complete, closed=False)

    tree = [node(None, "", 4, 0.5), node(0, "a", 3, 0.6), node(1, "b", 1, 0.2, complete=True)]
    assert uct(tree, 1, 2.0) == pytest.approx(0.6 + 2 * math.sqrt(math.log(4) / 3))
    assert path(tree, 2) == ["a", "b"]
    after = backpropagate(tree, 2, 1.0)
    assert [one["visits"] for one in after] == [5, 4, 2]
    assert [one["value"] for one in after] == pytest.approx([0.6, 0.7, 0.6])
    assert [one["closed"] for one in after] == [True, True, True]
    assert tree[2]["visits"] == 1


def test_lats_does_not_expand_a_complete_answer() -> None:
    parts = Parts(ScriptedGenerator(), ScriptedCritic(), ScriptedVerifier(), LetterStepper())
    state = new_state("q")
    leaf = TreeNode(parent=0, text="a", visits=1, value=0.5, complete=True, closed=False)
    state = {**state, "tree": [*state["tree"], leaf], "simulated": 1}
    assert Lats(parts, Budget()).next_step("select", state) == "simulate"
    assert Lats(parts, Budget()).next_step("select", {**state, "simulated": 0}) == "expand"
