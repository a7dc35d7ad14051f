"""A model that says which of several answers to one question is best."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.types import Worker, WorkerRequest

_PROMPT = (
    "Question:\n{question}\n\nAnswers:\n{answers}\n\n"
    "Which answer is the most correct and complete? Reply with its number only."
)


class Judge(Protocol):
    """Chooses among answers."""

    async def choose(self, question: str, answers: Sequence[str]) -> int | None:
        """The index of the best answer; None where it cannot say."""
        ...


@dataclass
class ModelJudge:
    """Asks a worker, as a rule a language model, for the number of the best answer."""

    worker: Worker

    async def choose(self, question: str, answers: Sequence[str]) -> int | None:
        """The index of the best answer; None where the model gives no answer or no number of one."""
        listed = "\n".join(f"{number}. {answer}" for number, answer in enumerate(answers, 1))
        reply = await self.worker.answer(WorkerRequest(_PROMPT.format(question=question, answers=listed)))
        found = re.search(r"\d+", reply.text) if reply.status == "answered" else None
        index = int(found[0]) - 1 if found else -1
        return index if 0 <= index < len(answers) else None
