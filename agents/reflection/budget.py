"""What a loop may spend, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass

from agents.reflection.types import ReflectionState, Round
from agents.types import AnswerStatus


class BudgetUsedError(Exception):
    """Nothing is left of the budget; ends a loop, never a run."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one loop.

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
        """How many tokens the next call may generate.

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


@dataclass(frozen=True, slots=True)
class ReflectionResult:
    """What a loop came to: the best draft, every round, what was spent, and why it stopped."""

    best: Round
    rounds: tuple[Round, ...]
    tokens: int
    read: int
    seconds: float
    level: str
    status: AnswerStatus
    reason: str


def best_round(rounds: list[Round]) -> Round:
    """The best draft: one that passed, else that with the highest score, of equals the later one.

    A draft that nobody judged has no score; an empty one is taken only where all are.
    """

    def merit(numbered: tuple[int, Round]) -> tuple[bool, bool, float, int]:
        index, one = numbered
        return bool(one["draft"].strip()), one["passed"], one["score"] or 0.0, index

    return max(enumerate(rounds), key=merit)[1]


def result_of(state: ReflectionState) -> ReflectionResult:
    """The result of a loop that has ended with at least one round."""
    return ReflectionResult(
        best=best_round(state["rounds"]),
        rounds=tuple(state["rounds"]),
        tokens=state["tokens"],
        read=state["read"],
        seconds=state["seconds"],
        level=state["level"],
        status=state["status"],
        reason=state["reason"],
    )
