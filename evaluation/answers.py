"""Ask questions with choices over a graph: `octopus eval answers`.

Every worker answers every question as it stands, and the chosen one also as its Octopus rewrote it. A wrong
answer of the graph is then a *rewrite* error where the chosen worker is right on the question as it stands, a
*routing* error where it is not but another worker is, and a *worker* error where no worker is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from langchain_core.messages import HumanMessage
from numpy.typing import NDArray

from agents.errors import InputError
from agents.types import NodeName, Octopus
from evaluation.multiple_choice import Answerer, AnswerLog, Question, Reply, Shots, prompt
from evaluation.report import (
    STANDING_COLUMNS,
    Advance,
    Report,
    Standing,
    no_progress,
    share,
    table,
    tabulate,
)

_DEEPEST = 16  # routing nodes on the way to a worker


@dataclass(frozen=True)
class Answers:
    """Hold who answered what of n questions.

    Attributes:
        workers: by place.
        right: [n, workers], on the question as it stands.
        chosen: [n], place of the worker where the graph went, or -1 where it abstained.
        graph_right: [n], the chosen worker on the rewritten question.
        rewritten: [n], whether the rewrite differs from the question.
        at_home: [n], whether the chosen worker is the one of the question's subject.
        cost: [n], dollars of the graph's answer.
        tokens: [n], that the graph's answer read and wrote.
    """

    workers: tuple[str, ...]
    right: NDArray[np.bool_]
    chosen: NDArray[np.int64]
    graph_right: NDArray[np.bool_]
    rewritten: NDArray[np.bool_]
    at_home: NDArray[np.bool_]
    cost: NDArray[np.float64]
    tokens: NDArray[np.int64]

    def errors(self) -> dict[str, NDArray[np.bool_]]:
        """Return rewrite, routing and worker errors, [n] each; with the right answers they add up to all."""
        wrong = ~self.graph_right
        known = np.zeros(len(wrong), dtype=bool)
        went = self.chosen >= 0
        known[went] = self.right[went, self.chosen[went]]
        somebody = self.right.any(axis=1)
        return {
            "rewrite": wrong & known,
            "routing": wrong & ~known & somebody,
            "worker": wrong & ~known & ~somebody,
        }


@dataclass(frozen=True)
class Exam:
    """Ask the workers of a graph, those included where it does not go.

    Attributes:
        entry: the routing node where questions enter.
        octopuses: of the routing nodes.
        workers: who answers.
        shots: solved examples for the prompts.
        log: replies so far; new ones are added.
    """

    entry: NodeName
    octopuses: Mapping[NodeName, Octopus]
    workers: Mapping[NodeName, Answerer]
    shots: Shots
    log: AnswerLog

    async def answer_all(
        self, questions: Sequence[Question], *, at_once: int = 4, advance: Advance = no_progress
    ) -> Answers:
        """Ask everybody everything that the log does not know yet, `at_once` questions at a time."""
        gate = asyncio.Semaphore(at_once)

        async def one(question: Question) -> dict[str, Any]:
            async with gate:
                found = await self._answer(question)
                advance(1)
                return found

        rows = await asyncio.gather(*map(one, questions))
        columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        return Answers(workers=tuple(map(str, self.workers)), **columns)

    async def _answer(self, question: Question) -> dict[str, Any]:
        """Return the question's row of `Answers`."""
        node, block = await self._route(question)
        plain = prompt(question, self.shots)
        replies = [await self.log.ask(worker, plain) for worker in self.workers.values()]
        final, price = Reply(None), (0.0, 0.0)
        if node is not None:
            final = await self.log.ask(self.workers[node], prompt(question, self.shots, block))
            price = self.workers[node].price
        return {
            "right": [reply.choice == question.gold for reply in replies],
            "chosen": -1 if node is None else list(self.workers).index(node),
            "graph_right": final.choice == question.gold,
            "rewritten": block != question.block,
            "at_home": node == question.node,
            "cost": (final.read * price[0] + final.written * price[1]) / 1e6,
            "tokens": final.read + final.written,
        }

    async def _route(self, question: Question) -> tuple[NodeName | None, str]:
        """Return the worker that the walk comes to, and the question as it was rewritten for it."""
        node, block = self.entry, question.block
        for _ in range(_DEEPEST):
            route = await self.octopuses[node].route([HumanMessage(question.text)])
            if route.node is None:
                return None, block
            # A rewrite around the verbatim question keeps the lettered choices; any other stands for itself.
            block = route.rewritten.replace(question.text, question.block)
            if route.node in self.workers:
                return route.node, block
            node = route.node
        raise InputError(
            f"no worker within {_DEEPEST} routing nodes of {self.entry!r}.",
            hint="Does the graph run in circles?",
        )


def report_answers(answers: Answers, questions: Sequence[Question], shots: int) -> Report:
    """Report accuracies, the gain over the best single worker, regret and cost."""
    best = int(answers.right.mean(axis=0).argmax())
    systems: dict[str, NDArray[Any]] = {
        "**graph**": answers.graph_right,
        f"best single worker ({answers.workers[best]})": answers.right[:, best],
        "oracle": np.asarray(answers.right.any(axis=1)),
        "random worker": answers.right.mean(axis=1),
    }
    standings = {name: Standing.of(right, answers.right[:, best]) for name, right in systems.items()}
    groups = _groups(answers, questions)
    figures: dict[str, Any] = {
        "questions": len(questions),
        "shots": shots,
        "systems": {name: own.figures for name, own in standings.items()},
        "errors": {name: float(own.mean()) for name, own in answers.errors().items()},
        "cost": {
            "dollars": float(answers.cost.sum()),
            "tokens": int(answers.tokens.sum()),
            "at_home": float(answers.at_home.mean()),
            "abstained": float((answers.chosen < 0).mean()),
            "rewritten": float(answers.rewritten.mean()),
        },
        "groups": groups,
    }
    by_group = [
        [name, str(own["rows"]), share(own["graph"]), share(own["oracle"])] for name, own in groups.items()
    ]
    parts = [
        tabulate(f"{shots}-shot, {len(questions)} questions", standings, STANDING_COLUMNS),
        _regret(figures["errors"], figures["cost"]),
        table(("group", "rows", "graph %", "oracle %"), by_group),
    ]
    return Report("answers", "\n\n".join(parts), figures)


def _regret(errors: Mapping[str, float], cost: Mapping[str, Any]) -> str:
    kinds = [f"{name} error" for name in errors]
    headings = ("of all questions %", *kinds, "to its subject's node", "abstained")
    cells = ["graph", *map(share, (*errors.values(), cost["at_home"], cost["abstained"]))]
    total = f"{cost['tokens']:,} tokens and ${cost['dollars']:.4f} for the graph's own answers."
    return table(headings, [cells]) + "\n\n" + total


def _groups(answers: Answers, questions: Sequence[Question]) -> dict[str, dict[str, float]]:
    """Return rows and accuracies of each specialist's subjects."""
    nodes = np.array([question.node for question in questions])
    found = {}
    for node in np.unique(nodes):
        own = nodes == node
        right, oracle = answers.graph_right[own].mean(), answers.right[own].any(axis=1).mean()
        found[str(node)] = {"rows": int(own.sum()), "graph": float(right), "oracle": float(oracle)}
    return found
