"""Ask the trained arithmetic model: prompts in, sampled text out, many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch

from evaluation.labs.arithmetic import ALPHABET
from evaluation.labs.arithmetic_training import encode

_PATIENCE = 20  # cycles of the event loop without a new request after which a batch is closed


@dataclass(frozen=True, slots=True)
class Writing:
    """Hold a prompt, the characters that end the reply, its greatest length and temperature (0: greedy)."""

    prompt: str
    stops: str
    most: int
    temperature: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold a prompt and a text after it, which the model only reads."""

    prompt: str
    text: str


Answer: TypeAlias = str | list[float]
"""Holds generated text, or the probability of each character that was read."""


class ArithmeticModel:
    """Answer requests; those that wait at the same time are one batch, on the event loop's own thread.

    Args:
        folder: what `octopus train arithmetic` wrote.
        seed: of sampling; the same requests in the same order give the same replies.
    """

    def __init__(self, folder: Path, seed: int = 0) -> None:
        from transformers import AutoModelForCausalLM

        model: Any = AutoModelForCausalLM.from_pretrained(folder)
        self._model = model.eval()
        self._random = torch.Generator().manual_seed(seed)
        self._waiting: list[tuple[Writing | Reading, asyncio.Future[Answer]]] = []
        self._drain: asyncio.Task[None] | None = None

    async def write(self, prompt: str, stops: str, most: int, temperature: float) -> str:
        """Return generated text: at most so many characters, the last one a stop if one came."""
        reply = await self._ask(Writing(prompt, stops, most, temperature))
        assert isinstance(reply, str)
        return reply

    async def read(self, prompt: str, text: str) -> list[float]:
        """Return the probability of each character of `text` after `prompt`."""
        reply = await self._ask(Reading(prompt, text))
        assert isinstance(reply, list)
        return reply

    async def _ask(self, asked: Writing | Reading) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._serve())
        return await future

    async def _serve(self) -> None:
        while self._waiting:
            await self._all_wait()
            batch, self._waiting = self._waiting, []
            written = iter(self.complete([asked for asked, _ in batch if isinstance(asked, Writing)]))
            read = iter(self.likelihoods([asked for asked, _ in batch if isinstance(asked, Reading)]))
            for asked, future in batch:
                reply: Answer = next(written) if isinstance(asked, Writing) else next(read)
                if not future.done():  # the one who asked may have given up
                    future.set_result(reply)

    async def _all_wait(self) -> None:
        seen, quiet = 0, 0
        while quiet < _PATIENCE:
            quiet = quiet + 1 if len(self._waiting) == seen else 0
            seen = len(self._waiting)
            await asyncio.sleep(0)

    @torch.no_grad()
    def complete(self, requests: Sequence[Writing]) -> list[str]:
        """Return the generated texts of a batch."""
        if not requests:
            return []
        tokens, mask = _left_padded([request.prompt for request in requests])
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        temperatures = torch.tensor([[request.temperature] for request in requests])
        texts, past = [""] * len(requests), None
        for _ in range(max(request.most for request in requests)):
            reply = self._model(
                tokens, attention_mask=mask, position_ids=positions, past_key_values=past, use_cache=True
            )
            past = reply.past_key_values
            tokens = self._sample(reply.logits[:, -1], temperatures)
            for row, token in enumerate(tokens[:, 0].tolist()):
                if not _ended(texts[row], requests[row]):
                    texts[row] += ALPHABET[token]
            if all(map(_ended, texts, requests)):
                break
            mask = torch.cat([mask, torch.ones_like(tokens)], dim=1)
            positions = positions[:, -1:] + 1
        return texts

    @torch.no_grad()
    def likelihoods(self, readings: Sequence[Reading]) -> list[list[float]]:
        """Return the probability of each character of each text, in one pass."""
        if not readings:
            return []
        rows = [encode(reading.prompt + reading.text) for reading in readings]
        tokens = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
        probabilities = self._model(tokens[:, :-1]).logits.softmax(-1)
        chosen = probabilities.gather(2, tokens[:, 1:, None])[..., 0].tolist()
        return [
            one[len(reading.prompt) - 1 : len(row) - 1]
            for one, reading, row in zip(chosen, readings, rows, strict=True)
        ]

    def _sample(self, logits: torch.Tensor, temperatures: torch.Tensor) -> torch.Tensor:
        probabilities = (logits / temperatures.clamp(min=1e-3)).softmax(-1)
        sampled = torch.multinomial(probabilities, 1, generator=self._random)
        return torch.where(temperatures > 0, sampled, logits.argmax(-1, keepdim=True))


def _ended(text: str, request: Writing) -> bool:
    return len(text) >= request.most or (text != "" and text[-1] in request.stops)


def _left_padded(prompts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, prompts))
    tokens = torch.zeros(len(prompts), longest, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, prompt in enumerate(prompts):
        tokens[row, longest - len(prompt) :] = torch.tensor(encode(prompt))
        mask[row, longest - len(prompt) :] = 1
    return tokens, mask
