"""Train a real and imperfect causal model of 1.3 million parameters, to measure reflection on.

    octopus train arithmetic --out DIR              # 5-10 minutes on one core

It learns the text of `evaluation.labs.arithmetic` from random problems. Training ends as soon as about
seven in ten greedy answers to held-out problems are right, so that there is something to improve.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from evaluation.labs.arithmetic import ALPHABET, COLUMN, DIGITS, draw, read_answer, training_text

_IGNORED = -100  # PyTorch's label of a position without loss
_CHARACTERS = {character: k for k, character in enumerate(ALPHABET)}


@dataclass(frozen=True)
class ArithmeticSettings:
    """Hold hyper-parameters.

    Attributes:
        target: greedy accuracy on held-out problems at which training ends.
        steps: after so many it ends anyway.
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
