"""What the causal Octopus saves, on a random model of 65 million parameters in Phi-3's architecture.

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

from agents.octopus.causal.model import CausalModel, Request
from agents.octopus.causal.prompt import Prompt
from evaluation.labs.routing_speed import Ratio, compare
from evaluation.report import Report, table
from evaluation.routing.benchmark import plain

ADAPTERS = 16
GENERATED = 32  # tokens of a call
_INSTRUCTION, _QUERY, _AFTER = 64, 40, 2  # tokens
_LONG = 256  # tokens of an instruction with some examples
_DESCRIPTIONS, _DESCRIPTION = 100, 64  # functions, and tokens of each
_VOCABULARY = 32_064
_LEGAL = tuple(range(_VOCABULARY - 20, _VOCABULARY - 3))  # seventeen functional tokens
_NEVER = -1  # an end that no model writes, so that all generate equally long


def phi_like(*, width: int = 512, layers: int = 10, seed: int = 0) -> Any:
    """An untrained Phi-3 of 65 million parameters."""
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
    """The ratios: choice, prefix cache, no cache, mixed adapters, descriptions in the prompt."""
    model = phi_like(width=width, layers=layers)
    millions = sum(own.numel() for own in model.parameters()) / 1e6
    ratios = _alone(model, rounds)
    with TemporaryDirectory() as folder:
        save_adapters(model, Path(folder), ADAPTERS)
        ratios["16 mixed adapters, one by one / in a batch"] = mixed_adapters(model, Path(folder), rounds)
    rows = [
        [name, f"{own.ratio:.3g}", f"{own.milliseconds:.0f}", f"{own.baseline_milliseconds:.0f}"]
        for name, own in ratios.items()
    ]
    markdown = table(("ratio", "median", "ms", "beside ms"), rows)
    return Report("causal-speed", markdown, {"parameters": millions * 1e6, "ratios": plain(ratios)})


def _alone(model: Any, rounds: int) -> dict[str, Ratio]:
    cached = CausalModel(model, end=_NEVER, shared=_ids(0, _INSTRUCTION), most_tokens=GENERATED)
    uncached = CausalModel(model, end=_NEVER, most_tokens=GENERATED)
    long = CausalModel(model, end=_NEVER, shared=_ids(0, _LONG), most_tokens=GENERATED)
    full = partial(decide, cached, adapter=None, write=True)
    full_long = partial(decide, long, adapter=None, write=True, instruction=_LONG)
    ratio = partial(_compare, rounds=rounds)
    return {
        "choice only / with a call of 32 tokens": ratio(
            partial(decide, cached, adapter=None, write=False), full
        ),
        "prefix cached / the same loop without it": ratio(
            full, partial(decide, uncached, adapter=None, write=True)
        ),
        "prefix cached / transformers' generate": ratio(full, partial(generate, model)),
        f"prefix cached / the same loop without it, {_LONG} tokens shared": ratio(
            full_long, partial(decide, uncached, adapter=None, write=True, instruction=_LONG)
        ),
        f"prefix cached / transformers' generate, {_LONG} tokens shared": ratio(
            full_long, partial(generate, model, instruction=_LONG)
        ),
        "loop without any cache / prefix cached": ratio(partial(without_cache, model), full),
        "prefill, 100 descriptions / functional tokens": ratio(
            partial(prefill_descriptions, model), partial(decide, cached, adapter=None, write=False)
        ),
    }


def _compare(call: Callable[[int], object], baseline: Callable[[int], object], *, rounds: int) -> Ratio:
    return compare(lambda text: call(int(text)), lambda text: baseline(int(text)), ["1"], rounds)


def decide(
    model: CausalModel, seed: int, *, adapter: str | None, write: bool, instruction: int = _INSTRUCTION
) -> None:
    """One decision, with its call or without."""
    model.run([_request(model, seed, adapter, write, instruction)])


def generate(model: Any, seed: int, *, instruction: int = _INSTRUCTION) -> None:
    """transformers' own greedy generation with its cache."""
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
    """A loop that reads everything again for each token, as the published demonstration does."""
    tokens = torch.tensor([_whole(seed)])
    with torch.inference_mode():
        for _ in range(GENERATED):
            logits = model(tokens, use_cache=False).logits
            tokens = torch.cat([tokens, logits[:, -1].argmax(-1, keepdim=True)], dim=1)


def prefill_descriptions(model: Any, seed: int) -> None:
    """One reading of a hundred function descriptions and the query, up to the choice."""
    tokens = torch.tensor([[*_ids(seed, _DESCRIPTIONS * _DESCRIPTION), *_whole(seed)]])
    with torch.inference_mode():
        model(tokens, use_cache=True, logits_to_keep=1)


def mixed_adapters(model: Any, folder: Path, rounds: int) -> Ratio:
    """Sixteen decisions with calls, each with its own adapter: one by one against one batch."""
    tuned = CausalModel(
        model, end=_NEVER, shared=_ids(0, _INSTRUCTION), adapters=folder, most_tokens=GENERATED
    )

    def batched(seed: int) -> None:
        tuned.run([_request(tuned, seed + k, str(k), True) for k in range(ADAPTERS)])

    def one_by_one(seed: int) -> None:
        for k in range(ADAPTERS):
            decide(tuned, seed + k, adapter=str(k), write=True)

    return _compare(one_by_one, batched, rounds=rounds)


def save_adapters(model: Any, folder: Path, number: int) -> None:
    """Random LoRA adapters of rank 16 in folders named 0, 1, …; `model` is left as it was."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=16, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    for name in range(number):
        tuned = get_peft_model(model, config)
        tuned.save_pretrained(str(folder / str(name)))
        tuned.unload()


def _request(
    model: CausalModel, seed: int, adapter: str | None, write: bool, instruction: int = _INSTRUCTION
) -> Request:
    shared = model.shared
    own = _ids(seed, _QUERY) if shared else _whole(seed, instruction)[: instruction + _QUERY]
    prompt = Prompt(shared, own, _ids(-1, _AFTER))
    return Request(prompt, adapter, _LEGAL, lambda logits: int(logits.argmax()) if write else None)


def _whole(seed: int, instruction: int = _INSTRUCTION) -> tuple[int, ...]:
    return (*_ids(0, instruction), *_ids(seed, _QUERY), *_ids(-1, _AFTER))


def _ids(seed: int, number: int) -> tuple[int, ...]:
    rng = random.Random(seed)  # noqa: S311 - tokens
    return tuple(rng.randrange(1, 30_000) for _ in range(number))
