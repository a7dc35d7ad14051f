"""Multiplication by one digit, written column by column: the text that the small arithmetic model learns.

A problem is `4673*8=`. Its answer has a column per digit, the lowest first: the digit, then two digits of
digit × factor + carry: `324 758 653 437.` (3·8 + 0 = 24, 7·8 + 2 = 58, ...). The last digits of the columns
and the tens of the last are the product, 37384.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass

DIGITS = 5
COLUMN = 4  # characters of one column
ALPHABET = "\n0123456789*=. "  # the first pads
HELD_OUT = 10  # one problem in so many is never trained on


@dataclass(frozen=True, slots=True)
class Problem:
    """`number` × `factor`."""

    number: int
    factor: int

    @property
    def prompt(self) -> str:
        """What an answer follows."""
        return f"{self.number}*{self.factor}="

    @property
    def held_out(self) -> bool:
        """Whether the problem is kept for measuring; depends on nothing but the problem."""
        return zlib.crc32(self.prompt.encode()) % HELD_OUT == 0

    @property
    def columns(self) -> int:
        """How many columns an answer has."""
        return len(str(self.number))


def draw(rng: random.Random, *, held_out: bool) -> Problem:
    """A random problem of one of the two halves."""
    while True:
        problem = Problem(rng.randrange(10 ** (DIGITS - 1), 10**DIGITS), rng.randrange(2, 10))
        if problem.held_out == held_out:
            return problem


def answer(problem: Problem) -> str:
    """The right answer in columns."""
    carry, columns = 0, []
    for digit in reversed(str(problem.number)):
        value = int(digit) * problem.factor + carry
        columns.append(f"{digit}{value:02d}")
        carry = value // 10
    return " ".join(columns) + "."


def read_answer(text: str) -> int | None:
    """The product that an answer says; None where it is not a whole answer."""
    columns = text[:-1].split(" ")
    if not text.endswith(".") or any(len(c) != COLUMN - 1 or not c.isdecimal() for c in columns):
        return None
    return int(columns[-1][1] + "".join(column[2] for column in reversed(columns)))


def training_text(rng: random.Random) -> tuple[str, int]:
    """A solved problem, and where its answer begins."""
    problem = draw(rng, held_out=False)
    return problem.prompt + answer(problem), len(problem.prompt)
