"""Reflection on a real, imperfect model with an exact verifier: accuracy at equal token budgets.

Every mode gets the same held-out problems, the same model and the same budget of generated tokens, and may
use all of it; its answer is the best draft of its loop. `none` is one greedy draft. Two baselines spend the
budget without reflecting: best-of-n samples until the verifier passes a draft (Cobbe et al. 2021, arXiv
2110.14168, with an exact verifier), and self-consistency takes the most frequent of n samples (Wang et al.
2022, arXiv 2203.11171). Basic reflection, too, never asks the verifier.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agents.reflection.basic import Basic
from agents.reflection.budget import Budget
from agents.reflection.lats import Lats
from agents.reflection.loop import Algorithm, Step, run
from agents.reflection.reflexion import Reflexion
from agents.reflection.steps import Steps, add_round
from agents.reflection.types import Parts, ReflectionState, Update, new_state
from evaluation.intervals import interval
from evaluation.labs.arithmetic import LENGTH, ArithmeticParts, ExactVerifier, TextModel
from evaluation.labs.multiplication import Problem, draw

BUDGETS = (20, 40, 80, 160, 240)  # generated tokens; a draft has 20
_SECONDS = 3600.0  # all problems run at once: time is no budget here


@dataclass(frozen=True, slots=True)
class BestOfN:
    """draft → verify → draft → ..., with nothing learnt in between."""

    parts: Parts
    budget: Budget

    @property
    def steps(self) -> Mapping[str, Step]:
        """Its steps by name."""
        return {"draft": self._draft, "verify": Steps(self.parts, self.budget).verify}

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """In turns; the reason to stop comes from the steps."""
        return "verify" if done == "draft" else "draft"

    async def _draft(self, state: ReflectionState) -> Update:
        if not state["rounds"]:
            return await Steps(self.parts, self.budget).draft(state)
        assert self.parts.stepper is not None
        self.budget.another_round(state)
        left = self.budget.tokens_left(state)
        return add_round(state, await self.parts.stepper.finish(state["question"], (), (), left))


_ALGORITHMS: Mapping[str, Callable[[Parts, Budget], Algorithm]] = {
    "none": BestOfN,  # with one round
    "basic": Basic,
    "reflexion": Reflexion,
    "lats": Lats,
    "best-of-n": BestOfN,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One problem: whether the answer was right, tokens generated and read, and drafts."""

    right: bool
    tokens: int
    read: int
    drafts: int


class Exam:
    """Runs modes on problems.

    Args:
        model: the generator.
        seed: of the problems.
        number: how many problems.
    """

    def __init__(self, model: TextModel, *, seed: int = 0, number: int = 500) -> None:
        rng = random.Random(f"exam {seed}")  # noqa: S311 - problems
        self.problems = [draw(rng, held_out=True) for _ in range(number)]
        played = ArithmeticParts(model)
        self._parts = Parts(played, played, ExactVerifier(), played)

    def measure(self, mode: str, budget: int) -> list[Outcome]:
        """The outcomes of `mode` with `budget` tokens for each problem."""

        async def all_at_once() -> list[Outcome]:
            return list(await asyncio.gather(*(self._outcome(mode, p, budget) for p in self.problems)))

        return asyncio.run(all_at_once())

    async def _outcome(self, mode: str, problem: Problem, tokens: int) -> Outcome:
        state = new_state(problem.prompt)
        if mode == "self-consistency":
            return await self._vote(problem, tokens)
        budget = Budget(rounds=1 if mode == "none" else 100, tokens=tokens, seconds=_SECONDS)
        result = await run(_ALGORITHMS[mode](self._parts, budget), state)
        right = await self._is_right(problem, result.best["draft"])
        return Outcome(right, result.tokens, result.read, len(result.rounds))

    async def _vote(self, problem: Problem, tokens: int) -> Outcome:
        """Self-consistency: the most frequent of as many drafts as the budget holds, the greedy one first."""
        assert self._parts.stepper is not None
        generator, stepper = self._parts.generator, self._parts.stepper
        drafts = [await generator.generate(problem.prompt, (), LENGTH)]
        others = range(tokens // LENGTH - 1)
        drafts += [await stepper.finish(problem.prompt, (), (), LENGTH) for _ in others]
        answer = Counter(draft.text for draft in drafts).most_common(1)[0][0]
        right = await self._is_right(problem, answer)
        read = sum(draft.read for draft in drafts)
        return Outcome(right, sum(draft.tokens for draft in drafts), read, len(drafts))

    async def _is_right(self, problem: Problem, draft: str) -> bool:
        return (await ExactVerifier().verify(problem.prompt, draft, 0)).passed


def gain(right: Sequence[bool], beside: Sequence[bool], *, seed: int = 0) -> tuple[float, float, float]:
    """The difference of two means on the same problems, and its 95 % paired bootstrap interval."""
    found = interval([float(one) - float(other) for one, other in zip(right, beside, strict=True)], seed=seed)
    return found.mean, found.low, found.high
