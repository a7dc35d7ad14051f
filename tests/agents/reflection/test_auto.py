"""The first draft and its verdict choose the level."""

from __future__ import annotations

import pytest

from agents.reflection.auto import Auto, choose_level
from agents.reflection.loop import Budget, run
from agents.reflection.types import Mode, Parts, new_state
from tests.agents.reflection.scripted import (
    LetterStepper,
    ScriptedCritic,
    ScriptedGenerator,
    ScriptedVerifier,
)


@pytest.mark.parametrize(
    ("probability", "passed", "rounds", "level"),
    [
        (0.3, True, 9, "none"),
        (0.9, None, 9, "none"),
        (0.6, None, 9, "basic"),
        (0.6, False, 9, "reflexion"),
        (0.3, False, 9, "lats"),
        (0.3, False, 3, "reflexion"),
    ],
)
def test_auto_picks_the_level(probability: float, passed: bool | None, rounds: int, level: Mode) -> None:
    assert choose_level(probability, passed, Budget(rounds=rounds)) == level


@pytest.mark.parametrize(("probability", "level"), [(0.6, "reflexion"), (0.3, "lats")])
async def test_auto_goes_on_from_the_first_draft(probability: float, level: str) -> None:
    generator = ScriptedGenerator(["bbb", "aab"])
    parts = Parts(generator, ScriptedCritic(), ScriptedVerifier(("aab",)), LetterStepper())
    result = await run(Auto(parts, Budget(rounds=30, tokens=500)), new_state("q", probability))
    assert (result.level, result.best["draft"], result.rounds[0]["draft"]) == (level, "aab", "bbb")


async def test_auto_leaves_a_draft_that_passes() -> None:
    parts = Parts(ScriptedGenerator(["aab"]), ScriptedCritic(), ScriptedVerifier(("aab",)))
    result = await run(Auto(parts, Budget()), new_state("q", 0.1))
    assert (len(result.rounds), result.reason) == (1, "the verifier passed it")


async def test_auto_without_a_verifier_trusts_a_sure_octopus() -> None:
    result = await run(Auto(Parts(ScriptedGenerator(), ScriptedCritic()), Budget()), new_state("q", 0.95))
    assert (len(result.rounds), result.reason) == (1, "the Octopus is sure of the worker")
