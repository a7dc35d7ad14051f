"""Ask workers to choose: by the letter in their reply or by likelihood; and keep what they replied."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

from agents.errors import InputError, ModelUnavailableError
from agents.types import Worker, WorkerRequest
from agents.workers.models.local_model import LocalModel, source_of, with_base
from agents.workers.models.manager import ModelManager
from agents.workers.models.reference import ModelReference
from evaluation.answers.multiple_choice import LETTERS, letter_of

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
        request = WorkerRequest(query=text, max_tokens=_REPLY_TOKENS)
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
