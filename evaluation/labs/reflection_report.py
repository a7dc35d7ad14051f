"""The tables and the plot of `octopus eval reflection`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.intervals import interval
from evaluation.labs.arithmetic import TextModel
from evaluation.labs.reflection import BUDGETS, Exam, Outcome, gain
from evaluation.report import Report, share, table

MODES = {
    "none": "none",
    "basic": "basic",
    "self-consistency": "self-consistency",
    "reflexion": "Reflexion",
    "lats": "LATS",
    "best-of-n": "best-of-n",
}
WITH_VERIFIER = ("reflexion", "lats", "best-of-n")

Outcomes = Mapping[str, Mapping[int, Sequence[Outcome]]]


def evaluate_reflection(
    model: TextModel,
    *,
    seed: int = 0,
    problems: int = 500,
    budgets: Sequence[int] = BUDGETS,
    advance: Callable[[float], None] = lambda done: None,
) -> Report:
    """Every mode at every budget.

    Args:
        model: the generator, critic and stepper.
        seed: of problems and intervals.
        problems: how many held-out problems.
        budgets: generated tokens for each problem.
        advance: called with the share that was just done.
    """
    exam = Exam(model, seed=seed, number=problems)
    outcomes: dict[str, dict[int, Sequence[Outcome]]] = {mode: {} for mode in MODES}
    for mode in MODES:
        for budget in budgets:
            outcomes[mode][budget] = exam.measure(mode, budget)
            advance(1 / (len(MODES) * len(budgets)))
    figures = _figures(outcomes, seed)
    return Report("reflection", _markdown(figures, budgets), figures)


def draw_curves(path: Path, figures: Mapping[str, Any]) -> None:
    """Accuracy over the budget, a line a mode with its interval, as an SVG."""
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


def _figures(outcomes: Outcomes, seed: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for mode, by_budget in outcomes.items():
        figures[mode] = {}
        for budget, cell in by_budget.items():
            right = [outcome.right for outcome in cell]
            accuracy = interval(right, seed=seed)
            none = [outcome.right for outcome in outcomes["none"][budget]]
            figures[mode][str(budget)] = {
                "accuracy": accuracy.mean,
                "low": accuracy.low,
                "high": accuracy.high,
                "gain": gain(right, none, seed=seed),
                "tokens": float(np.mean([outcome.tokens for outcome in cell])),
                "most_tokens": max(outcome.tokens for outcome in cell),
                "read": float(np.mean([outcome.read for outcome in cell])),
                "drafts": float(np.mean([outcome.drafts for outcome in cell])),
            }
    return figures


def _markdown(figures: Mapping[str, Any], budgets: Sequence[int]) -> str:
    """Accuracy by budget; then what the largest budget came to, beside `none`."""
    accuracy = table(
        ("right, % (95 %), at a budget of", "verifier", *(f"{budget} tokens" for budget in budgets)),
        [
            [name, "exact" if mode in WITH_VERIFIER else "–", *map(_cell, figures[mode].values())]
            for mode, name in MODES.items()
        ],
    )
    spent = table(
        (f"at {budgets[-1]} tokens", "gain over none (95 %)", "generated", "read", "drafts"),
        [[name, *_spent(figures[mode][str(budgets[-1])])] for mode, name in MODES.items()],
    )
    return f"{accuracy}\n\n{spent}"


def _cell(cell: Mapping[str, Any]) -> str:
    return f"{share(cell['accuracy'])} ({100 * cell['low']:.0f}–{100 * cell['high']:.0f})"


def _spent(cell: Mapping[str, Any]) -> list[str]:
    mean, low, high = (100 * value for value in cell["gain"])
    return [
        f"{mean:+.1f} ({low:+.1f} to {high:+.1f})",
        f"{cell['tokens']:.0f}",
        f"{cell['read']:.0f}",
        f"{cell['drafts']:.1f}",
    ]
