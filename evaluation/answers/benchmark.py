"""Questions with choices over a graph: is the answer right, and if not, who is to blame?

Every worker answers every question as it stands, and the chosen one also as its Octopus rewrote it. A wrong
answer of the graph is then a *rewrite* error where the chosen worker is right on the question as it stands, a
*routing* error where it is not but another worker is, and a *worker* error where no worker is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from langchain_core.messages import HumanMessage
from numpy.typing import NDArray

from agents.errors import InputError
from agents.types import NodeName, Octopus
from evaluation.answers.log import AnswerLog, Reply
from evaluation.answers.multiple_choice import Question, Shots, prompt

_DEEPEST = 16  # masters on the way to a worker


class Answerer(Protocol):
    """A worker that chooses.

    Attributes:
        key: what its replies are filed under; workers with the same key give the same replies.
        price: dollars for a million tokens, read and written.
    """

    key: str
    price: tuple[float, float]

    async def choose(self, text: str) -> Reply:
        """The choice for a prompt; raises `ModelUnavailableError` where no model can be reached."""
        ...


@dataclass(frozen=True)
class Answers:
    """Who answered what of n questions.

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
        """Rewrite, routing and worker errors, [n] each; with the right answers they add up to all."""
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


async def answer_all(
    questions: Sequence[Question],
    shots: Shots,
    *,
    entry: NodeName,
    octopuses: Mapping[NodeName, Octopus],
    workers: Mapping[NodeName, Answerer],
    log: AnswerLog,
    at_once: int = 4,
    advance: Callable[[float], None] = lambda step: None,
) -> Answers:
    """Ask everybody everything that the log does not know yet.

    Args:
        questions: what is asked.
        shots: solved examples for the prompts.
        entry: the master where questions enter.
        octopuses: of the masters.
        workers: who answers.
        log: replies so far; new ones are added.
        at_once: calls at a time.
        advance: called with 1 after each question.
    """
    names = list(workers)
    gate = asyncio.Semaphore(at_once)

    async def one(question: Question) -> dict[str, Any]:
        async with gate:
            node, block = await _route(question, entry, octopuses, workers)
            plain = [await _ask(workers[name], prompt(question, shots), log) for name in names]
            if node is None:
                found = _row(question, plain, -1, Reply(None), None, names)
            else:
                final = await _ask(workers[node], prompt(question, shots, block), log)
                found = _row(question, plain, names.index(node), final, workers[node], names)
            advance(1)
            return found | {"rewritten": block != question.block}

    rows = await asyncio.gather(*map(one, questions))
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return Answers(workers=tuple(map(str, names)), **columns)


async def _route(
    question: Question,
    entry: NodeName,
    octopuses: Mapping[NodeName, Octopus],
    workers: Mapping[NodeName, Answerer],
) -> tuple[NodeName | None, str]:
    """The worker that the walk comes to, and the question as it was rewritten for it."""
    node, block = entry, question.block
    for _ in range(_DEEPEST):
        route = await octopuses[node].route([HumanMessage(question.text)])
        if route.node is None:
            return None, block
        # A rewrite around the verbatim question keeps the lettered choices; any other stands for itself.
        block = route.rewritten.replace(question.text, question.block)
        if route.node in workers:
            return route.node, block
        node = route.node
    raise InputError(
        f"no worker within {_DEEPEST} masters of {entry!r}.", hint="Does the graph run in circles?"
    )


async def _ask(worker: Answerer, text: str, log: AnswerLog) -> Reply:
    reply = log.get(worker.key, text)
    if reply is None:
        reply = await worker.choose(text)
        log.add(worker.key, text, reply)
    return reply


def _row(
    question: Question,
    plain: Sequence[Reply],
    chosen: int,
    final: Reply,
    worker: Answerer | None,
    names: Sequence[NodeName],
) -> dict[str, Any]:
    price = worker.price if worker else (0.0, 0.0)
    return {
        "right": [reply.choice == question.gold for reply in plain],
        "chosen": chosen,
        "graph_right": final.choice == question.gold,
        "at_home": chosen >= 0 and names[chosen] == question.node,
        "cost": (final.read * price[0] + final.written * price[1]) / 1e6,
        "tokens": final.read + final.written,
    }
