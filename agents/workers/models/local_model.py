"""Run a causal language model in this process, on transformers: a base and any number of LoRA adapters."""

from __future__ import annotations

import gc
import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents.adapters import BASE, AdapterError, attach
from agents.errors import ModelUnavailableError
from agents.workers.models.manager import Source
from agents.workers.models.reference import ModelReference

INSTALL = "Install the extra: pip install -e '.[hf]'."

OnTokens = Callable[[Sequence[int]], bool]
"""Take the tokens generated so far; return whether to stop."""


class LocalModel:
    """Hold a base model with its tokenizer; threads may share it, and generate one after another.

    Adapters are chosen per call, never by peft's global switch. But peft's hooks sit on the shared modules,
    so two calls at once would still get each other's.

    Args:
        model: of transformers, in evaluation mode.
        tokenizer: its own.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        from transformers import GenerationConfig

        self._model = model
        # `generate` fills what a call leaves open from the checkpoint's settings: beams, penalties and more.
        self._own, model.generation_config = model.generation_config, GenerationConfig()
        self.tokenizer = tokenizer
        self._adapters: dict[str, str] = {}
        self._turn = threading.Lock()

    @property
    def size(self) -> int:
        """Return the bytes of the weights, adapters included."""
        return sum(part.numel() * part.element_size() for part in self._model.parameters())

    @property
    def window(self) -> int | None:
        """Return how many tokens fit into the context; None if the model does not say."""
        config = self._model.config
        found = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
        return int(found) if found else None

    def unload(self) -> None:
        """Give the memory back, GPU memory too."""
        import torch

        del self._model, self.tokenizer
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def generate(
        self,
        ids: Sequence[int],
        most: int,
        on_tokens: OnTokens,
        adapter: str = "",
        *,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[int]:
        """Continue `ids` by at most `most` tokens, fewer where the text ends or `on_tokens` stops it.

        Decoding is greedy, so that the same question gets the same answer; of the checkpoint's own settings
        only the special tokens count. A `temperature` above 0 samples, from `seed`.
        """
        import torch
        from transformers import GenerationConfig, StoppingCriteriaList

        prompt = torch.tensor([list(ids)], device=self._model.device)
        own = self._own
        settings = GenerationConfig(
            max_new_tokens=most,
            do_sample=temperature > 0,
            temperature=float(temperature) if temperature > 0 else None,
            top_k=0 if temperature > 0 else None,  # transformers' own default is 50
            eos_token_id=own.eos_token_id if own.eos_token_id is not None else self.tokenizer.eos_token_id,
            pad_token_id=_first(own.pad_token_id, self.tokenizer.pad_token_id, own.eos_token_id, 0),
            bos_token_id=own.bos_token_id,
        )

        def stop(so_far: Any, *scores: Any, **options: Any) -> Any:
            stopped = on_tokens(so_far[0, len(ids) :].tolist())
            return torch.full((1,), stopped, dtype=torch.bool, device=so_far.device)

        with self._turn, torch.inference_mode(), torch.random.fork_rng():
            chosen = self._chosen(adapter)
            if on_tokens([]):  # given up while it waited for its turn
                return []
            torch.manual_seed(seed)
            tokens = self._model.generate(
                input_ids=prompt,
                attention_mask=torch.ones_like(prompt),
                generation_config=settings,
                stopping_criteria=StoppingCriteriaList([stop]),
                **chosen,
            )
        return [int(token) for token in tokens[0, len(ids) :]]

    def likelihoods(self, text: str, options: Sequence[str], adapter: str = "") -> tuple[list[float], int]:
        """Sum the log-probabilities of each option after `text`; return the sums and the tokens of `text`."""
        import torch

        start = self.tokenizer(text, add_special_tokens=True)["input_ids"]
        scores = []
        with self._turn, torch.inference_mode():
            chosen = self._chosen(adapter)
            for option in options:
                ids = self.tokenizer(option, add_special_tokens=False)["input_ids"]
                # What does not fit is cut at the front, since a question stands at the end.
                whole = (start + ids)[-self.window :] if self.window else start + ids
                given = torch.tensor([whole], device=self._model.device)
                logits = self._model(given, **chosen).logits[0, :-1].log_softmax(-1)
                scores.append(float(logits[-len(ids) :].gather(1, given[0, -len(ids) :, None]).sum()))
        return scores, len(start)

    def _chosen(self, adapter: str) -> dict[str, Any]:
        if not adapter:
            return {"adapter_names": [BASE]} if self._adapters else {}
        if adapter not in self._adapters:
            self._attach(adapter)
        return {"adapter_names": [self._adapters[adapter]]}

    def _attach(self, adapter: str) -> None:
        try:
            self._model, self._adapters[adapter] = attach(self._model, adapter)
        except ModuleNotFoundError as error:
            raise _missing(error) from error
        except AdapterError as error:
            raise ModelUnavailableError(
                f"the adapter {adapter!r} cannot be loaded: {error}.", hint="Does it belong to this base?"
            ) from error


def source_of(reference: ModelReference) -> Source[LocalModel]:
    """Tell the model manager what to load for a reference to a base model."""
    options = tuple(sorted(reference.options.items()))
    folder = Path(reference.name)
    name = str(folder.resolve()) if folder.is_dir() else reference.name
    return Source(
        key=(name, options), load=lambda: load(reference), size=_size_on_disk(folder), name=reference.name
    )


def with_base(reference: ModelReference) -> ModelReference:
    """Return the reference, or where it names a LoRA adapter, its base with that adapter.

    Raises:
        ModelUnavailableError: a package is missing, or the adapter's settings cannot be read.
    """
    folder = Path(reference.name)
    if reference.adapter or not folder.is_dir() or not (folder / "adapter_config.json").is_file():
        return reference
    import json

    try:
        base = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        name = str(base["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailableError(f"{folder}: adapter_config.json cannot be read ({error!r}).") from error
    beside = folder / name
    name = str(beside) if beside.is_dir() else name
    return replace(reference, name=name, adapter=str(folder))


def load(reference: ModelReference) -> LocalModel:
    """Load a base model into memory; blocking, and it may download.

    Raises:
        ModelUnavailableError: a package is missing, or the model cannot be found or read.
    """
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils.logging import disable_progress_bar
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    if not sys.stderr.isatty():
        disable_progress_bar()
    device = reference.options.get("device") or _device(torch)
    settings: dict[str, Any] = {"dtype": _dtype(reference, device, torch)}
    if quantised := reference.options.get("load"):
        settings |= {"quantization_config": _quantisation(quantised), "device_map": {"": device}}
    try:
        tokenizer = AutoTokenizer.from_pretrained(reference.name)
        model: Any = AutoModelForCausalLM.from_pretrained(reference.name, **settings)
        if not quantised:
            model = model.to(device)
    except Exception as error:  # files of anyone: JSON, pickle and safetensors all raise their own
        raise ModelUnavailableError(
            f"the model {reference.name!r} cannot be loaded: {_first_line(error)}",
            hint="Give a folder, or a repository of the Hugging Face Hub that this machine can reach.",
        ) from error
    return LocalModel(model.eval(), tokenizer)


def _device(torch: Any) -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _dtype(reference: ModelReference, device: str, torch: Any) -> Any:
    """Choose what the reference says, else the checkpoint's own, but full precision on a CPU.

    Many CPUs compute half precision slowly or not at all.
    """
    if (wanted := reference.options.get("dtype")) is not None:
        return wanted if wanted == "auto" else getattr(torch, wanted)
    return torch.float32 if device == "cpu" else "auto"


def _quantisation(bits: str) -> Any:
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelUnavailableError(
            f"load={bits} needs the package 'bitsandbytes'.", hint="Install it, or leave load= out."
        )
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(load_in_4bit=bits == "4bit", load_in_8bit=bits == "8bit")


def _size_on_disk(folder: Path) -> int:
    """Estimate the bytes that a model takes from its weight files; 0 for one of the Hub."""
    if not folder.is_dir():
        return 0
    files = list(folder.glob("*.safetensors")) or list(folder.glob("*.bin"))
    return sum(file.stat().st_size for file in files)


def _missing(error: ModuleNotFoundError) -> ModelUnavailableError:
    return ModelUnavailableError(f"the package {error.name!r} is not installed.", hint=INSTALL)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _first(*values: Any) -> Any:
    found = next(value for value in values if value is not None)
    return found[0] if isinstance(found, list) else found
