"""Let a worker play the parts of reflection: draft, criticise, judge, and choose among answers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from agents.generation import Generation
from agents.reflection.types import Draft, Lesson, Verdict
from agents.types import Limits, Worker, WorkerAnswer, WorkerRequest

AGREED = "AGREED"
PASS_MARK = 0.7  # of a judge
_CHARACTERS_PER_TOKEN = 2  # where the server does not count; an overestimate for English
_SCORE = re.compile(r"SCORE:\s*(\d+(?:\.\d+)?)\s*/\s*10", re.IGNORECASE)

CRITIC_PROMPT = (
    "Question:\n{question}\n\nAnswer:\n{draft}\n\n{evidence}"
    "Criticise the answer: say what is wrong or missing and how to correct it, in at most five sentences; do "
    f"not write a new answer. If there is nothing to correct, write {AGREED} and nothing else."
)
JUDGE_PROMPT = (
    "Question:\n{question}\n\nAnswer:\n{draft}\n\n"
    "How right and complete is the answer? First line: SCORE: n/10. Then, in at most three sentences, why."
)
RETRY_PROMPT = (
    "{question}\n\n{lessons}\n\nAnswer the question again without these faults; write the answer only."
)
CHOICE_PROMPT = (
    "Question:\n{question}\n\nAnswers:\n{answers}\n\n"
    "Which answer is the most correct and complete? Reply with its number only."
)
LESSON_PROMPT = "An earlier answer:\n{draft}\n\nWhat was said of it:\n{feedback}"


@dataclass(frozen=True, slots=True)
class WorkerGenerator:
    """Draft by a worker; the first draft is its plain answer to the request."""

    worker: Worker
    request: WorkerRequest

    async def generate(self, question: str, lessons: Sequence[Lesson], most: int) -> Draft:
        """Write a draft; with lessons, the query says what was wrong before."""
        request = replace(self.request, query=question).with_most(most)
        if lessons:
            told = "\n\n".join(LESSON_PROMPT.format(**lesson) for lesson in lessons)
            request = replace(request, query=RETRY_PROMPT.format(question=question, lessons=told))
        answer = await self.worker.answer(request)
        tokens, read = spent(request.query, answer)
        return Draft(
            answer.text,
            tokens,
            read,
            complete=tokens < most,
            status=answer.status,
            computed="function" in answer.evidence,
            evidence=answer.evidence,
        )


@dataclass(frozen=True, slots=True)
class WorkerCritic:
    """Criticise by a worker's model."""

    worker: Worker
    request: WorkerRequest

    async def criticise(self, question: str, draft: str, evidence: str, most: int) -> Verdict:
        """Say what is wrong; agreement is said too, and never against a verifier's evidence."""
        found = f"A check found: {evidence}\n\n" if evidence else ""
        query = CRITIC_PROMPT.format(question=question, draft=draft, evidence=found)
        text, tokens, read = await ask(self.worker, self.request, query, most)
        agrees = not evidence and text.strip().strip(".").upper() == AGREED
        return Verdict(float(agrees), agrees, "" if agrees else text, tokens, read)


@dataclass(frozen=True, slots=True)
class JudgeVerifier:
    """Judge by a model."""

    worker: Worker
    request: WorkerRequest

    async def verify(self, question: str, draft: str, most: int) -> Verdict:
        """Judge by a mark out of ten.

        Raises:
            ValueError: the model gave none.
        """
        query = JUDGE_PROMPT.format(question=question, draft=draft)
        text, tokens, read = await ask(self.worker, self.request, query, most)
        match = _SCORE.search(text)
        if match is None:
            raise ValueError(f"the judge gave no score: {text[:80]!r}")
        score = min(1.0, float(match[1]) / 10)
        return Verdict(score, score >= PASS_MARK, text[match.end() :].strip(), tokens, read)


@dataclass(frozen=True, slots=True)
class WholeAnswers:
    """Take whole answers for the steps of a tree, each made in the light of the lessons: for chat models."""

    generator: WorkerGenerator

    async def step(self, question: str, path: Sequence[str], lessons: Sequence[Lesson], most: int) -> Draft:
        """Write another answer."""
        return await self.generator.generate(question, lessons, most)

    async def finish(self, question: str, path: Sequence[str], lessons: Sequence[Lesson], most: int) -> Draft:
        """Return the last answer of the path, which is whole."""
        return Draft(path[-1])


class Judge(Protocol):
    """Choose among answers."""

    async def choose(self, question: str, answers: Sequence[str]) -> int | None:
        """Return the index of the best answer; None where the judge cannot say."""
        ...


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """Ask a worker, as a rule a language model, for the number of the best answer."""

    worker: Worker

    async def choose(self, question: str, answers: Sequence[str]) -> int | None:
        """Return the index of the best answer; None where the model gives no answer or no number of one."""
        listed = "\n".join(f"{number}. {answer}" for number, answer in enumerate(answers, 1))
        reply = await self.worker.answer(
            WorkerRequest(CHOICE_PROMPT.format(question=question, answers=listed))
        )
        found = re.search(r"\d+", reply.text) if reply.status == "answered" else None
        index = int(found[0]) - 1 if found else -1
        return index if 0 <= index < len(answers) else None


async def ask(worker: Worker, request: WorkerRequest, query: str, most: int) -> tuple[str, int, int]:
    """Ask the worker; return its text, the tokens generated and the tokens read.

    Raises:
        ValueError: it gave no answer.
    """
    plain = replace(request, query=query, readings=(), conversation=(), generation=Generation())
    asked = replace(plain, limits=Limits(calls=0))  # whose answer is judged has called them
    answer = await worker.answer(asked.with_most(most))
    if answer.status != "answered":
        raise ValueError(answer.text)
    return answer.text, *spent(query, answer)


def spent(query: str, answer: WorkerAnswer) -> tuple[int, int]:
    """Count tokens generated and read as the server does, else estimate them from the characters."""
    usage = answer.evidence.get("usage") or {}
    estimates = [math.ceil(len(text) / _CHARACTERS_PER_TOKEN) for text in (answer.text, query)]
    return (
        int(usage.get("output_tokens") or estimates[0]),
        int(usage.get("input_tokens") or estimates[1]),
    )
