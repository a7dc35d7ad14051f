"""Workers that choose: by the letter in their reply, or by the log-likelihood of each letter."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from agents.errors import ModelUnavailableError
from agents.types import Worker, WorkerRequest
from agents.workers.models.local_model import LocalModel, source_of, with_base
from agents.workers.models.manager import ModelManager
from agents.workers.models.reference import ModelReference
from evaluation.answers.log import Reply
from evaluation.answers.multiple_choice import LETTERS, letter_of

_REPLY_TOKENS = 32


@dataclass
class ByLetter:
    """Any worker: its reply is read.

    Attributes:
        key: model and prompt of the worker, so that replies are kept per model.
        worker: who answers.
        price: dollars for a million tokens, read and written.
    """

    key: str
    worker: Worker
    price: tuple[float, float] = (0.0, 0.0)

    async def choose(self, text: str) -> Reply:
        """The choice that the reply names.

        Raises:
            ModelUnavailableError: no model can be reached.
        """
        started = time.perf_counter()
        request = WorkerRequest(query=text, question=text, max_tokens=_REPLY_TOKENS)
        answer = await self.worker.answer(request)
        if answer.status == "unavailable":
            raise ModelUnavailableError(answer.text, retryable=True)
        usage = answer.evidence.get("usage") or {}
        read, written = (int(usage.get(name) or 0) for name in ("input_tokens", "output_tokens"))
        choice = letter_of(answer.text) if answer.status == "answered" else None
        return Reply(choice, read, written, time.perf_counter() - started)


@dataclass
class ByLikelihood:
    """A local model: the letter that it finds likeliest behind "Answer:".

    Attributes:
        key: of the model, so that replies are kept per model.
        manager: who brings it into memory, on first use.
        reference: to the model.
        price: dollars for a million tokens, read and written.
    """

    key: str
    manager: ModelManager[LocalModel]
    reference: ModelReference
    price: tuple[float, float] = (0.0, 0.0)

    async def choose(self, text: str) -> Reply:
        """The likeliest choice.

        Raises:
            ModelUnavailableError: the model cannot be loaded.
        """
        started = time.perf_counter()
        scores, read = await asyncio.to_thread(self._likelihoods, text)
        return Reply(scores.index(max(scores)), read, 1, time.perf_counter() - started)

    def _likelihoods(self, text: str) -> tuple[list[float], int]:
        reference = with_base(self.reference)
        with self.manager.lease(source_of(reference)) as model:
            return model.likelihoods(text, [f" {letter}" for letter in LETTERS], reference.adapter)
