"""Workers that choose: by the letter in their reply, or by the log-likelihood of each letter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from agents.errors import ModelUnavailableError
from agents.types import Worker, WorkerRequest
from evaluation.answer_log import Reply
from evaluation.multiple_choice import LETTERS, letter_of

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


class LocalModel:
    """A causal model in a folder, or by name from a hub; loaded on first use, one forward pass at a time.

    Args:
        name: folder or hub name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = Lock()

    def likelihoods(self, text: str, options: Sequence[str]) -> tuple[list[float], int]:
        """The log-probability of each option after `text`, summed over its tokens, and tokens read."""
        import torch

        tokenizer, model = self._loaded
        with self._lock, torch.inference_mode():
            start = tokenizer(text, add_special_tokens=True)["input_ids"]
            limit = getattr(model.config, "max_position_embeddings", None) or len(start) + 64
            scores = []
            for option in options:
                ids = tokenizer(option, add_special_tokens=False)["input_ids"]
                # What does not fit is cut at the front: the question stands at the end.
                given = torch.tensor([(start + ids)[-limit:]])
                logits = model(given).logits[0, :-1].log_softmax(-1)
                scores.append(float(logits[-len(ids) :].gather(1, given[0, -len(ids) :, None]).sum()))
        return scores, len(start)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        try:
            model: Any = AutoModelForCausalLM.from_pretrained(self.name)
            return AutoTokenizer.from_pretrained(self.name), model.eval()
        except (OSError, ValueError) as error:
            raise ModelUnavailableError(
                f"the model {self.name!r} cannot be loaded: {str(error).splitlines()[0]}",
                hint="Give a folder with a model and its tokenizer.",
            ) from error


@dataclass
class ByLikelihood:
    """A local model: the letter that it finds likeliest behind "Answer:"."""

    key: str
    model: LocalModel
    price: tuple[float, float] = (0.0, 0.0)

    async def choose(self, text: str) -> Reply:
        """The likeliest choice.

        Raises:
            ModelUnavailableError: the model cannot be loaded.
        """
        started = time.perf_counter()
        options = [f" {letter}" for letter in LETTERS]
        scores, read = await asyncio.to_thread(self.model.likelihoods, text, options)
        return Reply(scores.index(max(scores)), read, 1, time.perf_counter() - started)


def local_folder(reference: str, beside: Path) -> str:
    """The folder or hub name of `hf:NAME`; a folder may be relative to the spec."""
    name = reference.removeprefix("hf:")
    return str(beside / name) if (beside / name).is_dir() else name
