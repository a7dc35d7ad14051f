"""A very small Llama with a byte-level tokenizer and functional tokens, made on the spot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CONTROLS = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<nexa_end>"]
SLOTS = 8


def make_tokenizer(*, template: str | None = TEMPLATE, slots: int = SLOTS) -> Any:
    """One token per byte, and the control and functional tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bare = Tokenizer(models.BPE(vocab={one: k for k, one in enumerate(alphabet)}, merges=[]))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bare.decoder = decoders.ByteLevel()
    tokens = [*CONTROLS, *(f"<nexa_{k}>" for k in range(slots))]
    made = PreTrainedTokenizerFast(tokenizer_object=bare, eos_token="<|end|>", pad_token="<|end|>")
    made.add_special_tokens({"extra_special_tokens": tokens})
    made.chat_template = template
    return made


def make_model(tokenizer: Any, *, window: int = 512, width: int = 32, seed: int = 0) -> Any:
    """Two layers, with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=window,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config).eval()


def save_base(folder: Path, **settings: Any) -> Path:
    """A model and its tokenizer on disk."""
    tokenizer = make_tokenizer(template=settings.pop("template", TEMPLATE))
    make_model(tokenizer, **settings).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_adapter(base: Path, folder: Path, *, seed: int = 0) -> Path:
    """A LoRA adapter on `base` that changes what it says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    settings = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    adapted = get_peft_model(AutoModelForCausalLM.from_pretrained(base), settings)
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_" in name:
                weight.mul_(20)
    adapted.save_pretrained(str(folder))
    return folder


def spoilt_adapters(good: Path, out: Path) -> list[Path]:
    """Copies of the adapter `good` that cannot be loaded, each for another reason; the last is missing."""
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(good / "adapter_model.safetensors")
    *_, last = sorted(weights)
    wrong = {
        "wide": weights | {last: torch.zeros(weights[last].shape[0] + 1, weights[last].shape[1] + 1)},
        "lacking": {name: weight for name, weight in weights.items() if name != last},
        "deep": weights | {last.replace("layers.1", "layers.2"): weights[last].clone()},
        "of_base": weights | {"base_model.model.model.norm.weight": torch.zeros(32)},
    }
    settings: dict[str, dict[str, Any]] = {
        "elsewhere": {"target_modules": ["q_proj", "norm"]},  # "norm" comes after layers changed by then
        "dora": {"use_dora": True},
        "pissa": {"init_lora_weights": "pissa"},
    }
    folders = [shutil.copytree(good, out / name) for name in (*wrong, "cut", *settings)]
    for name, found in wrong.items():
        save_file(found, out / name / "adapter_model.safetensors")
    cut = out / "cut/adapter_model.safetensors"
    cut.write_bytes(cut.read_bytes()[:-100])
    for name, changed in settings.items():
        path = out / name / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    return [*folders, out / "missing"]


def teach(
    model: Any, tokenizer: Any, rows: Sequence[tuple[str, str]], *, steps: int, rate: float = 3e-3
) -> None:
    """Train on (prompt, completion) rows until they are known by heart."""
    import torch

    encoded = [(tokenizer(p)["input_ids"], tokenizer(c)["input_ids"]) for p, c in rows]
    longest = max(len(p) + len(c) for p, c in encoded)
    ids = torch.full((len(rows), longest), tokenizer.pad_token_id)
    labels = torch.full((len(rows), longest), -100)
    for row, (prompt, completion) in enumerate(encoded):
        whole = prompt + completion
        ids[row, : len(whole)] = torch.tensor(whole)
        labels[row, len(prompt) : len(whole)] = torch.tensor(completion)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    model.train()
    for _ in range(steps):
        loss = model(input_ids=ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
