"""Basic reflection and Reflexion take their published steps, on scripted parts that can be foreseen."""

from __future__ import annotations

from collections.abc import Sequence

from agents.reflection.loop import Budget, run
from agents.reflection.trials import Basic, Reflexion
from agents.reflection.types import Lesson, Parts, new_state
from tests.agents.reflection.scripted import (
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
