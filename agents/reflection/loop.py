"""Run an algorithm step by step, within its budget, whatever its parts do; book what the steps cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from agents.reflection.types import Draft, Lesson, Parts, ReflectionState, Round, Update, Verdict
from agents.types import AnswerStatus

LESSONS = 3  # Shinn et al. keep one to three in memory, for the length of prompts
_EMPTY = "The answer was empty."

Step = Callable[[ReflectionState], Awaitable[Update]]


class BudgetUsedError(Exception):
    """Signal that the budget is used up; it ends a loop, never a run."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limit one loop.

    Attributes:
        rounds: drafts.
        tokens: generated tokens of all parts together. Prompts do not count: only what is generated can be
            bounded before a model is called.
        seconds: wall-clock time.

    Raises:
        ValueError: a limit is not positive.
    """

    rounds: int = 3
    tokens: int = 4000
    seconds: float = 60.0

    def __post_init__(self) -> None:
        for name in ("rounds", "tokens", "seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} of a budget must be positive, not {getattr(self, name)!r}.")

    def tokens_left(self, state: ReflectionState) -> int:
        """Return how many tokens the next call may generate.

        Raises:
            BudgetUsedError: none.
        """
        if state["tokens"] >= self.tokens:
            raise BudgetUsedError(f"the budget of {self.tokens} tokens is used up")
        return self.tokens - state["tokens"]

    def another_round(self, state: ReflectionState) -> None:
        """Make sure that one more draft is allowed.

        Raises:
            BudgetUsedError: it is not.
        """
        if len(state["rounds"]) >= self.rounds:
            raise BudgetUsedError(f"the budget of {self.rounds} rounds is used up")


class Algorithm(Protocol):
    """Define steps over the state of a loop, and their order."""

    @property
    def budget(self) -> Budget:
        """Return what the loop may spend."""
        ...

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return the steps by name; each returns the part of the state that it replaces."""
        ...

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """Return the step after `done` (None: the first one); None ends the loop."""
        ...


@dataclass(frozen=True, slots=True)
class Steps:
    """Take steps with the parts and the budget of a loop; algorithms derive from it."""

    parts: Parts
    budget: Budget

    async def draft(self, state: ReflectionState) -> Update:
        """Generate an answer in the light of the lessons."""
        self.budget.another_round(state)
        left = self.budget.tokens_left(state)
        draft = await self.parts.generator.generate(state["question"], state["lessons"][-LESSONS:], left)
        return add_round(state, draft)

    async def verify(self, state: ReflectionState) -> Update:
        """Judge the last draft by the verifier.

        Raises:
            ValueError: there is no verifier, or it cannot check this draft.
        """
        last = state["rounds"][-1]
        if not last["draft"].strip():
            return judged(state, Verdict(0.0, False, _EMPTY))
        if self.parts.verifier is None:
            raise ValueError("there is no verifier")
        most = max(0, self.budget.tokens - state["tokens"])  # tools verify without a token too
        verdict = await self.parts.verifier.verify(state["question"], last["draft"], most)
        return judged(state, verdict, "the verifier passed it")

    async def critique(self, state: ReflectionState) -> Update:
        """Judge the last draft by the critic, whose words become a lesson."""
        last = state["rounds"][-1]
        if not last["draft"].strip():
            return judged(state, Verdict(0.0, False, _EMPTY))
        left = self.budget.tokens_left(state)
        verdict = await self.parts.critic.criticise(state["question"], last["draft"], "", left)
        lesson = Lesson(draft=last["draft"], feedback=verdict.feedback)
        learnt = {} if verdict.passed else {"lessons": [*state["lessons"], lesson]}
        return judged(state, verdict, "the critic agrees") | learnt

    async def reflect(self, state: ReflectionState) -> Update:
        """Put into words why the last draft failed, and remember it."""
        self.budget.another_round(state)  # only a further draft can use a lesson
        left = self.budget.tokens_left(state)
        last = state["rounds"][-1]
        critic, question = self.parts.critic, state["question"]
        if not last["draft"].strip():
            verdict = Verdict(0.0, False, _EMPTY)
        else:
            verdict = await critic.criticise(question, last["draft"], last["feedback"], left)
        lesson = Lesson(draft=last["draft"], feedback=verdict.feedback or last["feedback"])
        if self.parts.memory is not None:
            await self.parts.memory.keep(question, lesson)
        return {"lessons": [*state["lessons"], lesson]} | spend(state, verdict)


@dataclass(frozen=True, slots=True)
class ReflectionResult:
    """Hold the outcome of a loop: the best draft, every round, what was spent, and why it stopped."""

    best: Round
    rounds: tuple[Round, ...]
    tokens: int
    read: int
    seconds: float
    level: str
    status: AnswerStatus
    reason: str

    @classmethod
    def of(cls, state: ReflectionState) -> ReflectionResult:
        """Read the outcome from the last state of a loop; it has at least one round."""
        return cls(
            best=best_round(state["rounds"]),
            rounds=tuple(state["rounds"]),
            tokens=state["tokens"],
            read=state["read"],
            seconds=state["seconds"],
            level=state["level"],
            status=state["status"],
            reason=state["reason"],
        )


def best_round(rounds: list[Round]) -> Round:
    """Return the best draft: one that passed, else that with the highest score; of equals the later one.

    A draft that nobody judged has no score. An empty draft is taken only where all are.
    """

    def merit(numbered: tuple[int, Round]) -> tuple[bool, bool, float, int]:
        index, one = numbered
        return bool(one["draft"].strip()), one["passed"], one["score"] or 0.0, index

    return max(enumerate(rounds), key=merit)[1]


def follow(algorithm: Algorithm, done: str | None, state: ReflectionState) -> str | None:
    """Return the step after `done`; None once there is a reason to stop."""
    return None if state["reason"] else algorithm.next_step(done, state)


async def take(algorithm: Algorithm, name: str, state: ReflectionState) -> Update:
    """Take one step; a used-up budget, a part that raises and one that hangs are reasons to stop.

    Raises:
        Exception: of the generator, while there is no draft yet that could be returned.
    """
    began = time.monotonic()
    left = algorithm.budget.seconds - state["seconds"]
    try:
        async with asyncio.timeout(left):
            update = await algorithm.steps[name](state)
    except BudgetUsedError as used:
        update = {"reason": str(used)}
    except TimeoutError:
        if not state["rounds"]:
            raise
        update = {"reason": f"the budget of {algorithm.budget.seconds:g} seconds is used up ({name})"}
    except Exception as error:  # parts are models, servers and tools, which raise anything
        if not state["rounds"]:
            raise
        update = {"reason": f"{name} failed: {type(error).__name__}: {error}"}
    return update | {"seconds": state["seconds"] + time.monotonic() - began}


async def run(algorithm: Algorithm, state: ReflectionState) -> ReflectionResult:
    """Run to the end, without a graph.

    Raises:
        Exception: of the generator, if there is no first draft.
    """
    done: str | None = None
    while name := follow(algorithm, done, state):
        state = cast(ReflectionState, {**state, **await take(algorithm, name, state)})
        done = name
    return ReflectionResult.of(state)


def spend(state: ReflectionState, *costs: Draft | Verdict) -> Update:
    """Return the tokens spent so far, with those of `costs`."""
    return {
        "tokens": state["tokens"] + sum(cost.tokens for cost in costs),
        "read": state["read"] + sum(cost.read for cost in costs),
    }


def add_round(state: ReflectionState, draft: Draft) -> Update:
    """Book a draft.

    Raises:
        BudgetUsedError: a later draft was refused; the earlier ones remain.
    """
    if draft.status != "answered" and state["rounds"]:
        raise BudgetUsedError(f"the model gave no further draft: {draft.text}")
    spent = spend(state, draft)
    if state["rounds"] and draft.text and not draft.complete:
        return spent | {"reason": "the budget of tokens was used up in the middle of a draft"}
    one = Round(
        draft=draft.text,
        score=None,
        passed=False,
        feedback="",
        tokens=spent["tokens"],
        read=spent["read"],
        evidence=draft.evidence,
    )
    update = spent | {"rounds": [*state["rounds"], one]}
    if draft.computed:
        update |= {"reason": "a tool computed it"}
    if draft.status != "answered":
        update |= {"status": draft.status, "reason": "there is no draft"}
    return update


def judged(state: ReflectionState, verdict: Verdict, agreement: str = "") -> Update:
    """Book the verdict on the last draft; a draft that passed is the reason to stop."""
    *earlier, last = state["rounds"]
    spent = spend(state, verdict)
    found = {"score": verdict.score, "passed": verdict.passed, "feedback": verdict.feedback}
    update: Update = spent | {"rounds": [*earlier, {**last, **found, **spent}]}
    return update | {"reason": agreement} if verdict.passed else update
