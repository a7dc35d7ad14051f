"""Pose multiplications by one digit, written by columns, and let a small model solve and criticise them.

A problem is `4673*8=`. Its answer has a column per digit, the lowest first: the digit, then two digits of
digit × factor + carry: `324 758 653 437.` (3·8 + 0 = 24, 7·8 + 2 = 58, ...). The last digits of the columns
and the tens of the last are the product, 37384.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.reflection.types import Draft, Lesson, Verdict

DIGITS = 5
COLUMN = 4  # characters of one column
ALPHABET = "\n0123456789*=. "  # the first pads
LENGTH = COLUMN * DIGITS  # of an answer
HELD_OUT = 10  # one problem in so many is never trained on
_TRIES = 3  # at a column that has failed before
_FEEDBACK = "column {} is doubtful"


@dataclass(frozen=True, slots=True)
class Problem:
    """Pose `number` × `factor`."""

    number: int
    factor: int

    @property
    def prompt(self) -> str:
        """Return the text before the answer."""
        return f"{self.number}*{self.factor}="

    @property
    def held_out(self) -> bool:
        """Return whether the problem is kept for measuring; depends on nothing but the problem."""
        return zlib.crc32(self.prompt.encode()) % HELD_OUT == 0


def draw(rng: random.Random, *, held_out: bool) -> Problem:
    """Return a random problem, held out or to train on."""
    while True:
        problem = Problem(rng.randrange(10 ** (DIGITS - 1), 10**DIGITS), rng.randrange(2, 10))
        if problem.held_out == held_out:
            return problem


def answer(problem: Problem) -> str:
    """Return the right answer in columns."""
    carry, columns = 0, []
    for digit in reversed(str(problem.number)):
        value = int(digit) * problem.factor + carry
        columns.append(f"{digit}{value:02d}")
        carry = value // 10
    return " ".join(columns) + "."


def read_answer(text: str) -> int | None:
    """Return the product that an answer says; None where it is not a whole answer."""
    columns = text[:-1].split(" ")
    if not text.endswith(".") or any(len(c) != COLUMN - 1 or not c.isdecimal() for c in columns):
        return None
    return int(columns[-1][1] + "".join(column[2] for column in reversed(columns)))


def training_text(rng: random.Random) -> tuple[str, int]:
    """Return a solved problem, and where its answer begins."""
    problem = draw(rng, held_out=False)
    return problem.prompt + answer(problem), len(problem.prompt)


class TextModel(Protocol):
    """Model text by characters, as `evaluation.labs.arithmetic_model.ArithmeticModel`."""

    async def write(self, prompt: str, stops: str, most: int, temperature: float) -> str:
        """Return generated text: at most so many characters, the last one a stop if one came."""
        ...

    async def read(self, prompt: str, text: str) -> list[float]:
        """Return the probability of each character of `text` after `prompt`."""
        ...


def problem_of(question: str) -> Problem:
    """Return the problem whose prompt is `question`."""
    number, factor = question.rstrip("=").split("*")
    return Problem(int(number), int(factor))


@dataclass(frozen=True, slots=True)
class ArithmeticParts:
    """Let one model play all parts but the verifier.

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
        """Return an answer; with lessons, from the doubtful column of the last one on."""
        if not lessons:
            return await self._write(question, "", ".", most, 0.0)
        begun = lessons[-1]["draft"][: COLUMN * (_column(lessons[-1]) - 1)]
        another = await self.step(question, [begun], lessons, most)
        if another.complete or another.tokens >= most:
            return Draft(begun + another.text, another.tokens, another.read, another.complete)
        rest = await self._write(question, begun + another.text, ".", most - another.tokens)
        return Draft(rest.text, another.tokens + rest.tokens, another.read + rest.read, rest.complete)

    async def step(self, question: str, path: Sequence[str], lessons: Sequence[Lesson], most: int) -> Draft:
        """Return one more column, another one than lessons call doubtful at this place."""
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
        """Return the columns of `path` with those that follow."""
        begun = "".join(path)
        return Draft(begun) if begun.endswith(".") else await self._write(question, begun, ".", most)

    async def criticise(self, question: str, draft: str, evidence: str, most: int) -> Verdict:
        """Return how probable the draft is to the model, and its least probable column."""
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
    """Verify a product by multiplying; say only whether it is right."""

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """Return the verdict; it costs no tokens."""
        problem = problem_of(question)
        right = read_answer(draft) == problem.number * problem.factor
        return Verdict(float(right), right, "" if right else "the product is wrong")


def _column(lesson: Lesson) -> int:
    """Return the column that a lesson names."""
    return int(next(word for word in lesson["feedback"].split() if word.isdecimal()))
