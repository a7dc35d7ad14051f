"""`auto`: the first draft and its verdict decide how much reflection a question is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agents.reflection.basic import Basic
from agents.reflection.budget import Budget
from agents.reflection.lats import Lats
from agents.reflection.loop import Algorithm, Step
from agents.reflection.reflexion import Reflexion
from agents.reflection.types import Mode, Parts, ReflectionState, Update

SURE = 0.8  # the Octopus is; without a verifier its word is taken for a draft's
UNSURE = 0.5  # below, the worker is perhaps out of its depth: search rather than retry
TREE_ROUNDS = 3  # a tree with fewer roll-outs is no better than trials


def choose_level(probability: float, passed: bool | None, budget: Budget) -> Mode:
    """The level for a first draft.

    Args:
        probability: of the worker, according to the Octopus.
        passed: the verifier's verdict; None where there is no verifier.
        budget: what may be spent.
    """
    if passed or (passed is None and probability >= SURE):
        return "none"
    if passed is None:
        return "basic"
    return "lats" if probability < UNSURE and budget.rounds > TREE_ROUNDS else "reflexion"


@dataclass(frozen=True, slots=True)
class Auto:
    """draft → verify → choose, then on as the chosen algorithm from that draft."""

    parts: Parts
    budget: Budget

    @property
    def steps(self) -> Mapping[str, Step]:
        """Those of all levels."""
        levels = (Basic, Reflexion, Lats)
        merged = {
            name: step for level in levels for name, step in level(self.parts, self.budget).steps.items()
        }
        return merged | {"choose": self._choose}

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """The first draft, the choice, then the chosen algorithm's steps."""
        if done is None:
            return "draft"
        if not state["level"]:
            return "verify" if done == "draft" and self.parts.verifier else "choose"
        if done == "choose":
            return {"basic": "critique", "reflexion": "reflect", "lats": "backpropagate"}[state["level"]]
        return self._level(state).next_step(done, state)

    def _level(self, state: ReflectionState) -> Algorithm:
        levels: dict[str, Callable[[Parts, Budget], Algorithm]]
        levels = {"basic": Basic, "reflexion": Reflexion, "lats": Lats}
        return levels[state["level"]](self.parts, self.budget)

    async def _choose(self, state: ReflectionState) -> Update:
        last = state["rounds"][-1]
        passed = last["passed"] if self.parts.verifier else None
        level = choose_level(state["probability"], passed, self.budget)
        return {"level": level} | ({"reason": "the Octopus is sure of the worker"} if level == "none" else {})
