"""Basic reflection and Reflexion take their published steps; `auto` chooses by the first draft."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agents.reflection.algorithms import Auto, Basic, Reflexion, choose_level
from agents.reflection.loop import Budget, run
from agents.reflection.types import Lesson, Mode, Parts, new_state
from tests.agents.reflection.scripted import (
    LetterStepper,
    ScriptedCritic,
    ScriptedGenerator,
    ScriptedVerifier,
)


class ListMemory:
    """Keeps lessons in a list."""

    def __init__(self) -> None:
        self.lessons: list[Lesson] = []

    async def recall(self, question: str) -> Sequence[Lesson]:
        return list(self.lessons)

    async def keep(self, question: str, lesson: Lesson) -> None:
        self.lessons.append(lesson)


async def test_basic_goes_on_until_the_critic_agrees() -> None:
    generator = ScriptedGenerator(["one", "two", "three"])
    result = await run(
        Basic(Parts(generator, ScriptedCritic(agrees_with=("two",))), Budget()), new_state("q")
    )
    assert (result.best["draft"], result.reason, len(result.rounds)) == ("two", "the critic agrees", 2)
    assert generator.lessons == [[], [{"draft": "one", "feedback": "'one' is wrong"}]]
    assert result.tokens == len("one") + 1 + len("two") + 1


async def test_reflexion_learns_from_the_verifiers_evidence_and_remembers() -> None:
    critic, memory = ScriptedCritic(), ListMemory()
    generator = ScriptedGenerator(["one", "two"])
    parts = Parts(generator, critic, ScriptedVerifier(passes=("two",)), memory=memory)
    result = await run(Reflexion(parts, Budget()), new_state("q"))
    assert (result.best["draft"], result.reason) == ("two", "the verifier passed it")
    assert critic.asked == [("one", "no")]
    assert memory.lessons == [{"draft": "one", "feedback": "'one' is wrong"}]
    later = ScriptedGenerator(["two"])
    await run(Reflexion(Parts(later, critic, parts.verifier, memory=memory), Budget()), new_state("q"))
    assert later.lessons == [memory.lessons]


async def test_memory_is_bounded() -> None:
    generator = ScriptedGenerator(["1", "2", "3", "4", "5", "6"])
    await run(
        Reflexion(Parts(generator, ScriptedCritic(), ScriptedVerifier()), Budget(rounds=6)), new_state("q")
    )
    assert [lesson["draft"] for lesson in generator.lessons[-1]] == ["3", "4", "5"]


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
