"""Run an algorithm step by step, within its budget, whatever its parts do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from agents.reflection.types import ReflectionState, Round, Update
from agents.types import AnswerStatus

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
