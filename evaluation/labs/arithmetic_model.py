"""Train a real and imperfect causal model of 1.3 million parameters to measure reflection on, and ask it.

    octopus train arithmetic --out DIR              # 5-10 minutes on one core

It learns the text of `evaluation.labs.arithmetic` from random problems. Training ends as soon as about seven
in ten greedy answers to held-out problems are right, so that there is something to improve.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from evaluation.labs.arithmetic import ALPHABET, COLUMN, DIGITS, draw, read_answer, training_text

_PATIENCE = 20  # cycles of the event loop without a new request after which a batch is closed
_IGNORED = -100  # PyTorch's label of a position without loss
_CHARACTERS = {character: k for k, character in enumerate(ALPHABET)}


@dataclass(frozen=True)
class ArithmeticSettings:
    """Hold hyper-parameters.

    Attributes:
        target: greedy accuracy on held-out problems at which training ends.
        steps: upper limit of training steps.
        check_every: steps between two measurements.
        problems: of one measurement.
    """

    target: float = 0.68
    steps: int = 1000
    check_every: int = 5
    problems: int = 400
    batch: int = 128
    learning_rate: float = 1e-3
    warm_up: int = 50
    width: int = 192
    layers: int = 3
    heads: int = 6
    seed: int = 0
    threads: int = 1


def encode(text: str) -> list[int]:
    """Return the ids of characters."""
    return [_CHARACTERS[character] for character in text]


def make_model(settings: ArithmeticSettings) -> Any:
    """Return an untrained Llama of the settings' size."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(settings.seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(ALPHABET),
            hidden_size=settings.width,
            intermediate_size=8 * settings.width // 3,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            max_position_embeddings=128,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=None,
            pad_token_id=0,
        )
    )


def train_arithmetic(
    out: Path,
    settings: ArithmeticSettings,
    report: Callable[[int, float], None] = lambda step, accuracy: None,
) -> float:
    """Train until the target is reached; write the model and, last, `arithmetic.json` to `out`.

    Args:
        out: the new folder.
        settings: hyper-parameters; a seed and a thread count give the same model again.
        report: called with step and accuracy at each measurement.

    Returns:
        Greedy accuracy on held-out problems.
    """
    torch.set_num_threads(settings.threads)
    rng = random.Random(settings.seed)  # noqa: S311 - problems
    model = make_model(settings)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    accuracy, step = 0.0, 0
    while accuracy < settings.target and step < settings.steps:
        step += 1
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * min(1.0, step / settings.warm_up)
        tokens, labels = make_batch([training_text(rng) for _ in range(settings.batch)])
        logits = model(tokens[:, :-1]).logits
        loss = nn.functional.cross_entropy(logits.transpose(1, 2), labels[:, 1:], ignore_index=_IGNORED)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % settings.check_every == 0:
            accuracy = greedy_accuracy(model, settings.problems, seed=settings.seed + 1)
            report(step, accuracy)
    model.save_pretrained(out)
    found = {"trained_steps": step, "accuracy": accuracy, "parameters": model.num_parameters()}
    (out / "arithmetic.json").write_text(
        json.dumps(asdict(settings) | found, indent=2) + "\n", encoding="utf-8"
    )
    return accuracy


def make_batch(texts: Sequence[tuple[str, int]]) -> tuple[Tensor, Tensor]:
    """Return token ids and labels, both [texts, length]; only the answers have labels."""
    tokens = torch.tensor([encode(text) for text, _ in texts])
    labels = tokens.clone()
    for row, (_, start) in enumerate(texts):
        labels[row, :start] = _IGNORED
    return tokens, labels


def greedy_accuracy(model: Any, problems: int, *, seed: int) -> float:
    """Return the share of held-out problems that the model answers rightly without sampling."""
    rng = random.Random(seed)  # noqa: S311 - problems
    drawn = [draw(rng, held_out=True) for _ in range(problems)]
    tokens = torch.tensor([encode(problem.prompt) for problem in drawn])
    with torch.no_grad():
        past, following = None, tokens
        for _ in range(COLUMN * DIGITS):
            reply = model(following, past_key_values=past, use_cache=True)
            past, following = reply.past_key_values, reply.logits[:, -1].argmax(-1, keepdim=True)
            tokens = torch.cat([tokens, following], dim=1)
    answers = ["".join(ALPHABET[k] for k in row[-COLUMN * DIGITS :]) for row in tokens.tolist()]
    right = sum(read_answer(a) == p.number * p.factor for a, p in zip(answers, drawn, strict=True))
    return right / problems


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
