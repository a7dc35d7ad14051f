"""The small arithmetic model as generator, critic and stepper, and the exact verifier of its answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.reflection.types import Draft, Lesson, Verdict
from evaluation.labs.multiplication import COLUMN, DIGITS, Problem, read_answer

LENGTH = COLUMN * DIGITS  # of an answer
_TRIES = 3  # at a column that has failed before
_FEEDBACK = "column {} is doubtful"


class TextModel(Protocol):
    """A model of text by characters, as `evaluation.labs.arithmetic_model.ArithmeticModel`."""

    async def write(self, prompt: str, stops: str, most: int, temperature: float) -> str:
        """Generated text: at most so many characters, the last one a stop if one came."""
        ...

    async def read(self, prompt: str, text: str) -> list[float]:
        """The probability of each character of `text` after `prompt`."""
        ...


def problem_of(question: str) -> Problem:
    """The problem whose prompt is `question`."""
    number, factor = question.rstrip("=").split("*")
    return Problem(int(number), int(factor))


@dataclass(frozen=True, slots=True)
class ArithmeticParts:
    """All parts but the verifier, played by one model.

    A first draft is greedy, the best that the model can do alone; whatever comes later is sampled. The
    critic reads it again: its score is the probability that the model gives the whole draft, calibrated as
    far as the model is, and its feedback names the least probable column. The generator takes the feedback
    by its meaning: it keeps the columns before that one and writes on, avoiding what failed there.

    Attributes:
        agreement: the score from which the critic has nothing to say.
    """

    model: TextModel
    temperature: float = 1.0
    agreement: float = 0.5

    async def generate(self, question: str, lessons: Sequence[Lesson], most: int) -> Draft:
        """An answer; with lessons, written on from the doubtful column of the last one."""
        if not lessons:
            return await self._write(question, "", ".", most, 0.0)
        begun = lessons[-1]["draft"][: COLUMN * (_column(lessons[-1]) - 1)]
        another = await self.step(question, [begun], lessons, most)
        if another.complete or another.tokens >= most:
            return Draft(begun + another.text, another.tokens, another.read, another.complete)
        rest = await self._write(question, begun + another.text, ".", most - another.tokens)
        return Draft(rest.text, another.tokens + rest.tokens, another.read + rest.read, rest.complete)

    async def step(self, question: str, path: Sequence[str], lessons: Sequence[Lesson], most: int) -> Draft:
        """One more column, another one than lessons call doubtful at this place."""
        begun, tokens, read = "".join(path), 0, 0
        place = len(begun) // COLUMN + 1
        failed = {
            lesson["draft"][len(begun) : len(begun) + COLUMN]
            for lesson in lessons
            if lesson["draft"].startswith(begun) and _column(lesson) == place
        }
        for _ in range(_TRIES):
            column = await self._write(question, begun, " .", most - tokens, longest=COLUMN)
            tokens, read = tokens + column.tokens, read + column.read
            if column.text[len(begun) :] not in failed or tokens >= most:
                break
        return Draft(column.text[len(begun) :], tokens, read, column.complete)

    async def finish(self, question: str, path: Sequence[str], lessons: Sequence[Lesson], most: int) -> Draft:
        """The columns after those of `path`, with them."""
        begun = "".join(path)
        return Draft(begun) if begun.endswith(".") else await self._write(question, begun, ".", most)

    async def criticise(self, question: str, draft: str, evidence: str, most: int) -> Verdict:
        """How probable the draft is to the model, and its least probable column."""
        likelihoods = await self.model.read(question, draft)
        columns = [math.prod(likelihoods[k : k + COLUMN]) for k in range(0, len(likelihoods), COLUMN)]
        score = math.prod(columns)
        agrees = not evidence and score >= self.agreement
        worst = min(range(len(columns)), key=columns.__getitem__) + 1
        feedback = "" if agrees else _FEEDBACK.format(worst)
        # Nothing is generated but the verdict, which counts as one token.
        return Verdict(score, agrees, feedback, tokens=1, read=len(question) + len(draft))

    async def _write(
        self,
        question: str,
        begun: str,
        stops: str,
        most: int,
        temperature: float | None = None,
        longest: int = LENGTH,
    ) -> Draft:
        most = min(most, longest, LENGTH - len(begun))
        used = self.temperature if temperature is None else temperature
        written = await self.model.write(question + begun, stops, most, used)
        text = begun + written
        return Draft(text, len(written), len(question) + len(begun), complete=text.endswith("."))


@dataclass(frozen=True, slots=True)
class ExactVerifier:
    """Multiplies; says no more than whether the product is right."""

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """The verdict; costs no tokens."""
        problem = problem_of(question)
        right = read_answer(draft) == problem.number * problem.factor
        return Verdict(float(right), right, "" if right else "the product is wrong")


def _column(lesson: Lesson) -> int:
    """The column that a lesson names."""
    return int(next(word for word in lesson["feedback"].split() if word.isdecimal()))
