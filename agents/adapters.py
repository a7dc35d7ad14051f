"""Attach LoRA adapters to a shared model, or leave the model as it was (extra `hf`)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

BASE = "__base__"  # what peft calls the model without an adapter
_CHANGE_THE_BASE = ("pissa", "olora", "corda", "loftq")  # initialisations that subtract from its weights
_NUMBERS = count()


class AdapterError(ValueError):
    """Signal that a folder or repository holds no LoRA adapter for this base."""


def attach(model: Any, adapter: str | Path) -> tuple[Any, str]:
    """Attach one more adapter; return the model and the name by which calls choose the adapter.

    peft changes the modules of `model` before it looks at the weights. So all that can be checked is checked
    first, and an adapter that fails nevertheless is taken out again.

    Args:
        model: of transformers, or what an earlier call returned.
        adapter: its folder, or its repository on the Hub.

    Raises:
        AdapterError: it cannot be read, or does not fit.
        ModuleNotFoundError: peft, or what the adapter needs, is not installed.
    """
    name = f"adapter_{next(_NUMBERS)}"  # names must be module names, folders have slashes and dots
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft's, about transformers
            config, weights = _read(model, str(adapter))
            with _undone_on_failure(model, name):
                tuned = _injected(model, config, weights, name)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # JSON, pickle, safetensors and peft all raise their own kinds
        raise AdapterError(str(error).strip() or type(error).__name__) from error
    return tuned.eval().requires_grad_(False), name


def _read(model: Any, adapter: str) -> tuple[Any, Mapping[str, Any]]:
    from peft import PeftConfig, load_peft_weights

    config: Any = PeftConfig.from_pretrained(adapter)
    if config.peft_type != "LORA" or config.use_dora:
        raise AdapterError("only plain LoRA can be chosen per request")
    if str(config.init_lora_weights).startswith(_CHANGE_THE_BASE):
        raise AdapterError(f"it changes the base: init_lora_weights is {config.init_lora_weights!r}")
    config.inference_mode = True
    renamed = getattr(model, "_checkpoint_conversion_mapping", None)
    weights = load_peft_weights(adapter, device="cpu", key_mapping=renamed)
    own = ("lora_", "trainable_tokens", *(config.modules_to_save or ()))
    if of_base := [key for key in weights if not any(part in key for part in own)]:
        raise AdapterError(f"it would overwrite the base's own weights, as {of_base[0]!r}")
    return config, weights


def _injected(model: Any, config: Any, weights: Mapping[str, Any], name: str) -> Any:
    from peft import PeftModel, set_peft_model_state_dict

    if isinstance(model, PeftModel):
        model.add_adapter(name, config)
        tuned = model
    else:
        tuned = PeftModel(model, config, name)
    found = set_peft_model_state_dict(tuned, weights, name)
    lacking = [key for key in found.missing_keys if name in key.split(".")]
    if wrong := [*lacking, *found.unexpected_keys]:
        raise AdapterError(f"its weights are not those that this base needs, as {wrong[0]!r}")
    return tuned


@contextmanager
def _undone_on_failure(model: Any, name: str) -> Iterator[None]:
    """Put the modules of `model` back in their places if the block fails."""
    before = [(module, dict(module._modules)) for module in model.modules()]
    first = not hasattr(model, "peft_config")
    try:
        yield
    except BaseException:
        for module, children in before:
            module._modules.clear()
            module._modules.update(children)
        if first:
            vars(model).pop("peft_config", None)
        else:
            model.peft_config.pop(name, None)
        raise
