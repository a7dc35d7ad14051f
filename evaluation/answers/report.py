"""`octopus eval answers`: the graph beside its best single worker, the oracle and chance."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.answers.benchmark import Answers
from evaluation.answers.multiple_choice import Question
from evaluation.answers.recorded import show_gain
from evaluation.intervals import paired_gain
from evaluation.metrics import bootstrap_interval
from evaluation.report import Report, share, table


def report_answers(answers: Answers, questions: list[Question], shots: int) -> Report:
    """Accuracies with 95 % intervals, the gain over the best single worker, regret and cost."""
    best = int(answers.right.mean(axis=0).argmax())
    systems: dict[str, NDArray[np.bool_]] = {
        "**graph**": answers.graph_right,
        f"best single worker ({answers.workers[best]})": answers.right[:, best],
        "oracle": np.asarray(answers.right.any(axis=1)),
    }
    figures: dict[str, Any] = {"questions": len(questions), "shots": shots, "systems": {}}
    lines = []
    for name, right in systems.items():
        low, high = bootstrap_interval(right)
        gain = paired_gain(right, answers.right[:, best])
        lines.append([name, share(right.mean()), f"{share(low)}–{share(high)}", show_gain(gain)])
        figures["systems"][name] = {"right": float(right.mean()), "low": low, "high": high} | {
            "gain": asdict(gain)
        }
    random = float(answers.right.mean())
    lines.append(["random worker", share(random), "–", "–"])
    figures["systems"]["random worker"] = {"right": random}
    heading = f"{shots}-shot, {len(questions)} questions"
    parts = [
        table((heading, "right %", "95 %", "gain over the best single (95 %)"), lines),
        _regret(answers, figures),
        _groups(answers, questions, figures),
    ]
    return Report("answers", "\n\n".join(parts), figures)


def _regret(answers: Answers, figures: dict[str, Any]) -> str:
    errors = {name: float(own.mean()) for name, own in answers.errors().items()}
    figures["errors"] = errors
    figures["cost"] = {
        "dollars": float(answers.cost.sum()),
        "tokens": int(answers.tokens.sum()),
        "at_home": float(answers.at_home.mean()),
        "abstained": float((answers.chosen < 0).mean()),
        "rewritten": float(answers.rewritten.mean()),
    }
    cost = figures["cost"]
    headings = (
        "of all questions %",
        *(f"{name} error" for name in errors),
        "to its subject's node",
        "abstained",
    )
    cells = ["graph", *map(share, (*errors.values(), cost["at_home"], cost["abstained"]))]
    total = f"{cost['tokens']:,} tokens and ${cost['dollars']:.4f} for the graph's own answers."
    return table(headings, [cells]) + "\n\n" + total


def _groups(answers: Answers, questions: list[Question], figures: dict[str, Any]) -> str:
    nodes = np.array([question.node for question in questions])
    lines, found = [], {}
    for node in np.unique(nodes):
        own = nodes == node
        right, oracle = answers.graph_right[own].mean(), answers.right[own].any(axis=1).mean()
        found[str(node)] = {"rows": int(own.sum()), "graph": float(right), "oracle": float(oracle)}
        lines.append([str(node), str(own.sum()), share(right), share(oracle)])
    figures["groups"] = found
    return table(("group", "rows", "graph %", "oracle %"), lines)
