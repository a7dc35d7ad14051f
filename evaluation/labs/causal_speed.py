"""Measure what the causal Octopus saves, on a random model of 65 million parameters in Phi-3's architecture.

Time does not depend on what the weights are. Every ratio is the median over pairs that were timed in turns
within one process.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from agents.octopus.causal.batching import CallRequest
from agents.octopus.causal.model import CausalModel
from agents.octopus.causal.prompt import Prompt
from evaluation.report import Report, plain
from evaluation.speed import Ratio, compare, ratio_table

ADAPTERS = 16
GENERATED = 32  # tokens of a call
_INSTRUCTION, _QUERY, _AFTER = 64, 40, 2  # tokens
_LONG = 256  # tokens of an instruction with some examples
_DESCRIPTIONS, _DESCRIPTION = 100, 64  # functions, and tokens of each
_VOCABULARY = 32_064
_LEGAL = tuple(range(_VOCABULARY - 20, _VOCABULARY - 3))  # seventeen functional tokens
_SEED = 1  # of the tokens of the query that is timed
_NEVER = -1  # an end that no model writes, so that all generate equally long


def phi_like(*, width: int = 512, layers: int = 10, seed: int = 0) -> Any:
    """Return an untrained Phi-3 of 65 million parameters."""
    from transformers import Phi3Config, Phi3ForCausalLM

    torch.manual_seed(seed)
    config = Phi3Config(
        vocab_size=_VOCABULARY,
        hidden_size=width,
        intermediate_size=11 * width // 4,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        max_position_embeddings=8192,
        original_max_position_embeddings=8192,
        sliding_window=None,
        tie_word_embeddings=False,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=None,
    )
    model: Any = Phi3ForCausalLM(config)
    return model.eval()


def evaluate_causal_speed(*, rounds: int = 3, width: int = 512, layers: int = 10) -> Report:
    """Compare choice, prefix cache, no cache, mixed adapters, and descriptions in the prompt."""
    model = phi_like(width=width, layers=layers)
    parameters = sum(own.numel() for own in model.parameters())
    ratios = _alone(model, rounds)
    with TemporaryDirectory() as folder:
        save_adapters(model, Path(folder), ADAPTERS)
        ratios["16 mixed adapters, one by one / in a batch"] = mixed_adapters(model, Path(folder), rounds)
    figures = {"parameters": parameters, "ratios": plain(ratios)}
    return Report("causal-speed", ratio_table("ratio", ratios), figures)


def _alone(model: Any, rounds: int) -> dict[str, Ratio]:
    cached = CausalModel(model, end=_NEVER, shared=_ids(0, _INSTRUCTION), most_tokens=GENERATED)
    uncached = CausalModel(model, end=_NEVER, most_tokens=GENERATED)
    long = CausalModel(model, end=_NEVER, shared=_ids(0, _LONG), most_tokens=GENERATED)
    choose, full = partial(decide, cached, write=False), partial(decide, cached)
    full_long, uncached_long = (partial(decide, own, instruction=_LONG) for own in (long, uncached))
    shared = f"{_LONG} tokens shared"
    pairs: dict[str, tuple[Callable[[int], object], Callable[[int], object]]] = {
        "choice only / with a call of 32 tokens": (choose, full),
        "prefix cached / the same loop without it": (full, partial(decide, uncached)),
        "prefix cached / transformers' generate": (full, partial(generate, model)),
        f"prefix cached / the same loop without it, {shared}": (full_long, uncached_long),
        f"prefix cached / transformers' generate, {shared}": (
            full_long,
            partial(generate, model, instruction=_LONG),
        ),
        "loop without any cache / prefix cached": (partial(without_cache, model), full),
        "prefill, 100 descriptions / functional tokens": (partial(prefill_descriptions, model), choose),
    }
    return {name: compare(call, beside, [_SEED], rounds) for name, (call, beside) in pairs.items()}


def decide(
    model: CausalModel,
    seed: int,
    *,
    adapter: str | None = None,
    write: bool = True,
    instruction: int = _INSTRUCTION,
) -> None:
    """Decide once, with the call or without."""
    model.run([_request(model, seed, adapter, write, instruction)])


def generate(model: Any, seed: int, *, instruction: int = _INSTRUCTION) -> None:
    """Generate greedily as transformers does, with its cache."""
    tokens = torch.tensor([_whole(seed, instruction)])
    with torch.inference_mode():
        model.generate(
            tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=GENERATED,
            min_new_tokens=GENERATED,
            do_sample=False,
        )


def without_cache(model: Any, seed: int) -> None:
    """Read everything again for each token, as the published demonstration does."""
    tokens = torch.tensor([_whole(seed)])
    with torch.inference_mode():
        for _ in range(GENERATED):
            logits = model(tokens, use_cache=False).logits
            tokens = torch.cat([tokens, logits[:, -1].argmax(-1, keepdim=True)], dim=1)


def prefill_descriptions(model: Any, seed: int) -> None:
    """Read a hundred function descriptions and the query once, up to the choice."""
    tokens = torch.tensor([[*_ids(seed, _DESCRIPTIONS * _DESCRIPTION), *_whole(seed)]])
    with torch.inference_mode():
        model(tokens, use_cache=True, logits_to_keep=1)


def mixed_adapters(model: Any, folder: Path, rounds: int) -> Ratio:
    """Compare sixteen decisions with calls one by one, each with its own adapter, with one batch."""
    tuned = CausalModel(
        model, end=_NEVER, shared=_ids(0, _INSTRUCTION), adapters=folder, most_tokens=GENERATED
    )

    def batched(seed: int) -> None:
        tuned.run([_request(tuned, seed + k, str(k)) for k in range(ADAPTERS)])

    def one_by_one(seed: int) -> None:
        for k in range(ADAPTERS):
            decide(tuned, seed + k, adapter=str(k))

    return compare(one_by_one, batched, [_SEED], rounds)


def save_adapters(model: Any, folder: Path, number: int) -> None:
    """Save random LoRA adapters of rank 16 in folders named 0, 1, …; `model` is left as it was."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=16, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    for name in range(number):
        tuned = get_peft_model(model, config)
        tuned.save_pretrained(str(folder / str(name)))
        tuned.unload()


def _request(
    model: CausalModel, seed: int, adapter: str | None, write: bool = True, instruction: int = _INSTRUCTION
) -> CallRequest:
    shared = model.shared
    own = _ids(seed, _QUERY) if shared else _whole(seed, instruction)[: instruction + _QUERY]
    prompt = Prompt(shared, own, _ids(-1, _AFTER))
    return CallRequest(prompt, adapter, _LEGAL, lambda logits: int(logits.argmax()) if write else None)


def _whole(seed: int, instruction: int = _INSTRUCTION) -> tuple[int, ...]:
    return (*_ids(0, instruction), *_ids(seed, _QUERY), *_ids(-1, _AFTER))


def _ids(seed: int, number: int) -> tuple[int, ...]:
    rng = random.Random(seed)  # noqa: S311 - tokens
    return tuple(rng.randrange(1, 30_000) for _ in range(number))
