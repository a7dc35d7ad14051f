"""Measure reflection on a real, imperfect model with an exact verifier: accuracy at equal token budgets.

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
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agents.reflection.algorithms import Basic, Reflexion
from agents.reflection.lats import Lats
from agents.reflection.loop import Algorithm, Budget, Step, Steps, add_round, run
from agents.reflection.types import Parts, ReflectionState, Update, new_state
from evaluation.labs.arithmetic import LENGTH, ArithmeticParts, ExactVerifier, Problem, TextModel, draw
from evaluation.report import Advance, Interval, Report, interval, no_progress, paired_gain, points, tabulate

MODES = {
    "none": "none",
    "basic": "basic",
    "self-consistency": "self-consistency",
    "reflexion": "Reflexion",
    "lats": "LATS",
    "best-of-n": "best-of-n",
}
WITH_VERIFIER = ("reflexion", "lats", "best-of-n")
BUDGETS = (20, 40, 80, 160, 240)  # generated tokens; a draft has 20
_SECONDS = 3600.0  # all problems run at once: time is no budget here


@dataclass(frozen=True, slots=True)
class BestOfN:
    """Draft → verify → draft → ..., with nothing learnt in between."""

    parts: Parts
    budget: Budget

    @property
    def steps(self) -> Mapping[str, Step]:
        """Return its steps by name."""
        return {"draft": self._draft, "verify": Steps(self.parts, self.budget).verify}

    def next_step(self, done: str | None, state: ReflectionState) -> str | None:
        """Return the steps in turns; the reason to stop comes from them."""
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
    """Hold what came of a problem: whether the answer was right, tokens generated and read, and drafts."""

    right: bool
    tokens: int
    read: int
    drafts: int


class Trial:
    """Run modes on problems.

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
        """Return the outcomes of `mode` with `budget` tokens for each problem."""

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
        """Take the most frequent of as many drafts as the budget holds, the greedy one first."""
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


Cell = Mapping[str, Any]
"""Holds the figures of a mode at a budget."""


def evaluate_reflection(
    model: TextModel,
    *,
    seed: int = 0,
    problems: int = 500,
    budgets: Sequence[int] = BUDGETS,
    advance: Advance = no_progress,
) -> Report:
    """Measure every mode at every budget.

    Args:
        model: the generator, critic and stepper.
        seed: of problems and intervals.
        problems: how many held-out problems.
        budgets: generated tokens for each problem.
        advance: called with the share that was just done.
    """
    trial = Trial(model, seed=seed, number=problems)
    figures: dict[str, dict[str, Cell]] = {mode: {} for mode in MODES}
    none: dict[int, list[bool]] = {}
    for mode in MODES:
        for budget in budgets:
            outcomes = trial.measure(mode, budget)
            right = [outcome.right for outcome in outcomes]
            gain = paired_gain(right, none.setdefault(budget, right), seed=seed)  # `none` comes first
            accuracy = interval(right, seed=seed)
            figures[mode][str(budget)] = _cell(outcomes, accuracy) | {"gain": astuple(gain)}
            advance(1 / (len(MODES) * len(budgets)))
    curves = {"reflection.svg": partial(draw_curves, figures=figures)}
    return Report("reflection", _markdown(figures, [str(budget) for budget in budgets]), figures, curves)


def _cell(outcomes: Sequence[Outcome], accuracy: Interval) -> dict[str, Any]:
    return {
        "accuracy": accuracy.mean,
        "low": accuracy.low,
        "high": accuracy.high,
        "tokens": float(np.mean([outcome.tokens for outcome in outcomes])),
        "most_tokens": max(outcome.tokens for outcome in outcomes),
        "read": float(np.mean([outcome.read for outcome in outcomes])),
        "drafts": float(np.mean([outcome.drafts for outcome in outcomes])),
    }


def _markdown(figures: Mapping[str, Mapping[str, Cell]], budgets: Sequence[str]) -> str:
    """Return accuracy by budget; then what the largest budget came to, beside `none`."""

    def accuracy(budget: str) -> Callable[[str], str]:
        return lambda mode: "{accuracy:.1f} ({low:.0f}–{high:.0f})".format(
            **{name: 100 * figures[mode][budget][name] for name in ("accuracy", "low", "high")}
        )

    by_name = {name: mode for mode, name in MODES.items()}
    verifier = {"verifier": lambda mode: "exact" if mode in WITH_VERIFIER else "–"}
    at = {f"{budget} tokens": accuracy(budget) for budget in budgets}
    largest = {name: figures[mode][budgets[-1]] for name, mode in by_name.items()}
    spent: dict[str, Callable[[Cell], str]] = {
        "gain over none (95 %)": lambda cell: points(Interval(*cell["gain"])),
        "generated": lambda cell: f"{cell['tokens']:.0f}",
        "read": lambda cell: f"{cell['read']:.0f}",
        "drafts": lambda cell: f"{cell['drafts']:.1f}",
    }
    return "\n\n".join(
        [
            tabulate("right, % (95 %), at a budget of", by_name, verifier | at),
            tabulate(f"at {budgets[-1]} tokens", largest, spent),
        ]
    )


def draw_curves(path: Path, *, figures: Mapping[str, Mapping[str, Cell]]) -> None:
    """Draw accuracy over the budget, a line a mode with its interval, as an SVG."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for mode, cells in figures.items():
        budgets = [int(budget) for budget in cells]
        accuracy, low, high = (
            [100 * cell[name] for cell in cells.values()] for name in ("accuracy", "low", "high")
        )
        style, layer = ("--", 4) if mode == "none" else ("-", 3)  # other lines may lie where it is
        (line,) = axes.plot(budgets, accuracy, style, marker="o", markersize=3, zorder=layer)
        line.set_label(MODES[mode])
        axes.fill_between(budgets, low, high, color=line.get_color(), alpha=0.12)
    axes.set_xlabel("budget of generated tokens for each problem")
    axes.set_ylabel("right answers, %")
    figure.legend(loc="outside right upper")
    # Text stays text, and the same figures give the same bytes.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "reflection"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
