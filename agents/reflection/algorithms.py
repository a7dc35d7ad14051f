"""List the algorithms of reflection; basic reflection, Reflexion and `auto` are written here.

Sources: Self-Refine (Madaan et al. 2023, arXiv 2303.17651), feedback on the draft, then a draft in the light
of the feedback, until the feedback has nothing left to say; without a verifier, its gain rests on the critic.
Reflexion (Shinn et al. 2023, arXiv 2303.11366, algorithm 1): the actor drafts, the evaluator (a tool, a
schema, a model) scores the trial, the self-reflection model turns a failure and its evidence into words, and
at most three of these stay in memory for the next trial. With a `Memory`, lessons of earlier runs do too.
`auto` lets the first draft and its verdict decide how much reflection a question is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agents.reflection.lats import Lats
from agents.reflection.loop import Algorithm, Budget, Step, Steps
from agents.reflection.types import Mode, Parts, ReflectionState, Update

SURE = 0.8  # probability from which, without a verifier, the Octopus is trusted and the draft stands
UNSURE = 0.5  # below, the worker may be out of its depth: search rather than retry
TREE_ROUNDS = 3  # a tree with fewer roll-outs is no better than trials

_NEXT = {"recall": "draft", "draft": "verify", "verify": "reflect", "reflect": "draft"}
_AFTER_CHOICE = {"basic": "critique", "reflexion": "reflect", "lats": "backpropagate"}


@dataclass(frozen=True, slots=True)
class Basic(Steps):
    """Take turns: draft → critique → draft → ..., until the critic agrees."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return the steps by name."""
        return {"draft": self.draft, "critique": self.critique}

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """Alternate between the steps, which give the reason to stop."""
        return "critique" if done == "draft" else "draft"


@dataclass(frozen=True, slots=True)
class Reflexion(Steps):
    """Learn from trials: recall → draft → verify → reflect → draft → ..., until a draft passes."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return the steps by name."""
        return {"recall": self._recall, "draft": self.draft, "verify": self.verify, "reflect": self.reflect}

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """Cycle through the steps, which give the reason to stop."""
        return "recall" if done is None else _NEXT[done]

    async def _recall(self, state: ReflectionState) -> Update:
        if self.parts.memory is None:
            return {}
        return {"lessons": [*await self.parts.memory.recall(state["question"])]}


_LEVELS: Mapping[str, Callable[[Parts, Budget], Basic | Reflexion | Lats]]
_LEVELS = {"basic": Basic, "reflexion": Reflexion, "lats": Lats}


def choose_level(probability: float, passed: bool | None, budget: Budget) -> Mode:
    """Choose the level for a first draft.

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
class Auto(Steps):
    """Draft, verify and choose; then continue as the chosen algorithm from that draft."""

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return the steps of all levels, and the choice."""
        merged: dict[str, Step] = {"choose": self._choose}
        for level in _LEVELS.values():
            merged |= level(self.parts, self.budget).steps
        return merged

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """Draft, verify if anything can, choose, then follow the chosen algorithm."""
        if done is None:
            return "draft"
        if not state["level"]:
            return "verify" if done == "draft" and self.parts.verifier else "choose"
        if done == "choose":
            return _AFTER_CHOICE[state["level"]]
        return _LEVELS[state["level"]](self.parts, self.budget).next_step(done, state)

    async def _choose(self, state: ReflectionState) -> Update:
        last = state["rounds"][-1]
        passed = last["passed"] if self.parts.verifier else None
        level = choose_level(state["probability"], passed, self.budget)
        return {"level": level} | ({"reason": "the Octopus is sure of the worker"} if level == "none" else {})


ALGORITHMS: Mapping[str, Callable[[Parts, Budget], Algorithm]] = MappingProxyType({**_LEVELS, "auto": Auto})
