"""Ask workers questions with choices: few-shot prompts, answers by letter or by likelihood, a log of replies.

Source: D. Hendrycks et al., Measuring Massive Multitask Language Understanding, 2021, arXiv 2009.03300.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from agents.errors import InputError, ModelUnavailableError
from agents.types import Worker, WorkerRequest
from agents.workers.models.local_model import LocalModel, source_of, with_base
from agents.workers.models.manager import ModelManager
from agents.workers.models.reference import ModelReference
from evaluation.task import read_exam
from training.rows.labelled_rows import read_json_lines
from training.rows.mmlu import NODE_OF, with_choices

LETTERS = "ABCD"

_STRICT = re.compile(r"\s*\(?(?!A\s+[a-z])([A-D])(?![A-Za-z0-9])")
_SAID = re.compile(r"(?i:answer|choice|option)(?i:\s+is)?\s*[:=]?\s*\**\(?([A-D])(?![A-Za-z0-9])")
_ALONE = re.compile(r"(?<![A-Za-z0-9])\(?([B-D])(?![A-Za-z0-9'’])|(?<![A-Za-z0-9])\(?(A)[).:](?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class Question:
    """Hold a question with four choices.

    Attributes:
        text: the question and its choices as the Octopus reads them.
        block: the same with letters, as workers read it.
        node: the specialist of its subject's group.
        gold: index of the right choice.
    """

    subject: str
    text: str
    block: str
    node: str
    gold: int


Shots = Mapping[str, Sequence[str]]
"""Maps a subject to solved examples, each a block with its answer."""


def lettered(row: Mapping[str, Any]) -> str:
    """Return the question and its choices behind letters, a line each."""
    choices = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, row["choices"], strict=True)]
    return "\n".join([row["question"], *choices])


def prompt(question: Question, shots: Shots, block: str | None = None) -> str:
    """Return the paper's prompt: a headline, solved examples, and the question up to "Answer:".

    Args:
        question: what is asked.
        shots: solved examples.
        block: the question in other words, as an Octopus rewrote it.
    """
    subject = question.subject.replace("_", " ")
    head = f"The following are multiple choice questions (with answers) about {subject}."
    return "\n\n".join([head, *shots.get(question.subject, ()), f"{block or question.block}\nAnswer:"])


def letter_of(reply: str) -> int | None:
    """Return the index of the choice that `reply` names: its first letter, "answer is B", or a lone "B"."""
    if match := _STRICT.match(reply):
        return LETTERS.index(match[1])
    for pattern in (_SAID, _ALONE):
        if found := pattern.findall(reply):
            last = found[-1] if isinstance(found[-1], str) else "".join(found[-1])
            return LETTERS.index(last)
    return None


def read_questions(data: Path, *, limit: int | None = None, seed: int = 0) -> list[Question]:
    """Return MMLU's test questions below `data`, or a random `limit` of them.

    Raises:
        InputError: there are none, or one is malformed.
    """
    return [_question(row) for row in read_exam(data, limit=limit, seed=seed)]


def read_shots(data: Path, count: int) -> dict[str, list[str]]:
    """Return the first `count` solved examples of each subject in `mmlu/dev`."""
    path = data / "mmlu" / "dev.jsonl.gz"
    found: dict[str, list[str]] = defaultdict(list)
    for _, row in read_json_lines(path) if count else ():
        if len(found[row["subject"]]) < count:
            found[row["subject"]].append(f"{lettered(row)}\nAnswer: {LETTERS[_gold(row)]}")
    return dict(found)


def _question(row: dict[str, Any]) -> Question:
    if len(row["choices"]) != len(LETTERS):
        raise InputError(f"{row['question']!r:.60} has {len(row['choices'])} choices, not {len(LETTERS)}.")
    return Question(row["subject"], with_choices(row), lettered(row), NODE_OF[row["subject"]], _gold(row))


def _gold(row: Mapping[str, Any]) -> int:
    answer = row.get("answer")
    if isinstance(answer, str) and answer in LETTERS and answer:
        return LETTERS.index(answer)
    if isinstance(answer, int) and 0 <= answer < len(LETTERS):
        return answer
    raise InputError(f"{row['question']!r:.60}: the answer {answer!r} is neither a letter nor a place.")


_REPLY_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold a worker's answer to one prompt.

    Attributes:
        choice: place of the choice that it made; None where none can be read.
        read, written: tokens, 0 where the worker does not say.
    """

    choice: int | None
    read: int = 0
    written: int = 0


Choose: TypeAlias = Callable[[str], Awaitable[Reply]]
"""Chooses for a prompt; raises `ModelUnavailableError` where no model can be reached."""


@dataclass(frozen=True, slots=True)
class Answerer:
    """Let a worker choose.

    Attributes:
        key: what its replies are filed under; workers with the same key give the same replies.
        choose: how it does.
        price: dollars for a million tokens, read and written.
    """

    key: str
    choose: Choose
    price: tuple[float, float] = (0.0, 0.0)


def by_letter(worker: Worker) -> Choose:
    """Choose what the reply of any worker names."""

    async def choose(text: str) -> Reply:
        request = WorkerRequest(query=text).with_most(_REPLY_TOKENS)
        answer = await worker.answer(request)
        if answer.status == "unavailable":
            raise ModelUnavailableError(answer.text, retryable=True)
        usage = answer.evidence.get("usage") or {}
        read, written = (int(usage.get(name) or 0) for name in ("input_tokens", "output_tokens"))
        return Reply(letter_of(answer.text) if answer.status == "answered" else None, read, written)

    return choose


def by_likelihood(manager: ModelManager[LocalModel], reference: ModelReference) -> Choose:
    """Choose the letter that a local model, which `manager` loads, finds likeliest behind "Answer:"."""

    def likelihoods(text: str) -> tuple[list[float], int]:
        whole = with_base(reference)
        with manager.lease(source_of(whole)) as model:
            return model.likelihoods(text, [f" {letter}" for letter in LETTERS], whole.adapter)

    async def choose(text: str) -> Reply:
        scores, read = await asyncio.to_thread(likelihoods, text)
        return Reply(scores.index(max(scores)), read, 1)

    return choose


class AnswerLog:
    """Keep replies by worker and prompt, on disk as they come, so that a killed evaluation can resume.

    Args:
        path: a file of JSON lines that replies are appended to; None keeps them in memory.

    Raises:
        InputError: a line of the file, other than a last one that was cut off, cannot be read.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._replies: dict[str, Reply] = {}
        if path is not None and path.exists():
            self._read(path)

    def __len__(self) -> int:
        return len(self._replies)

    async def ask(self, worker: Answerer, prompt: str) -> Reply:
        """Return the reply of `worker`; one that is new is on disk when this returns."""
        key = hashlib.sha256(f"{worker.key}\0{prompt}".encode()).hexdigest()[:32]
        if key not in self._replies:
            reply = await worker.choose(prompt)
            self._replies[key] = reply
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"key": key, "worker": worker.key, **asdict(reply)}) + "\n")
        return self._replies[key]

    def _read(self, path: Path) -> None:
        whole, _, cut_off = path.read_text(encoding="utf-8").rpartition("\n")
        if cut_off:  # the process was killed while it wrote this line
            path.write_text(whole + "\n" if whole else "", encoding="utf-8")
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = json.loads(line)
                reply = Reply(row["choice"], row["read"], row["written"])
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{path}:{number}: not a reply ({error}).", hint="Delete the file to start afresh."
                ) from error
            self._replies[row["key"]] = reply
