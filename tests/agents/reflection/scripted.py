"""Scripted models of reflection: what is under test is the loop, which has to end well whatever they do.

A real model does not raise, hang or disagree for ever at will.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.reflection.types import Draft, Lesson, Verdict


@dataclass
class ScriptedGenerator:
    """Writes its texts in order, the last one for ever, a token a character; keeps the lessons it was given.

    It keeps to `most` as a server does with `max_tokens`.
    """

    texts: list[str | Exception] = field(default_factory=lambda: ["draft"])
    lessons: list[list[Lesson]] = field(default_factory=list)
    seconds: float = 0.0

    async def generate(self, question: str, lessons: Sequence[Lesson], most: int) -> Draft:
        """The next text."""
        self.lessons.append(list(lessons))
        text = self.texts[min(len(self.lessons), len(self.texts)) - 1]
        if len(self.lessons) > 1:
            await asyncio.sleep(self.seconds)
        if isinstance(text, Exception):
            raise text
        return Draft(text[:most], len(text[:most]), complete=len(text) <= most)


@dataclass
class ScriptedCritic:
    """Agrees with the drafts it was told to agree with; the others it finds wrong, for one token."""

    agrees_with: tuple[str, ...] = ()
    error: Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def criticise(self, question: str, draft: str, evidence: str, most: int) -> Verdict:
        """Agreement or not."""
        self.asked.append((draft, evidence))
        if self.error:
            raise self.error
        agrees = draft in self.agrees_with and not evidence
        return Verdict(float(agrees), agrees, "" if agrees else f"{draft!r} is wrong", tokens=1)


@dataclass
class ScriptedVerifier:
    """Passes the drafts it was told to pass; a draft's score is the share of its letters that are `a`."""

    passes: tuple[str, ...] = ()
    error: Exception | None = None
    seconds: float = 0.0

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """The verdict, without tokens."""
        await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error
        passed = draft in self.passes
        return Verdict(1.0 if passed else 0.9 * draft.count("a") / len(draft), passed, "no")


@dataclass
class LetterStepper:
    """Answers of three letters, a letter a step, in the order of a script."""

    letters: str = "abb"
    steps: int = 0

    async def step(self, question: str, path: Sequence[str], lessons: Sequence[Lesson], most: int) -> Draft:
        """The next letter of the script."""
        letter = self.letters[self.steps % len(self.letters)]
        self.steps += 1
        return Draft(letter, 1, complete=len(path) == 2)

    async def finish(self, question: str, path: Sequence[str], lessons: Sequence[Lesson], most: int) -> Draft:
        """The path, then as many `b`."""
        begun = "".join(path)
        text = (begun + "bbb")[:3][: len(begun) + most]
        return Draft(text, len(text) - len(begun), complete=len(text) == 3)
