"""Choose by functional token and write calls with a causal language model (extra `hf`).

The choice is one prefill: the last hidden state times the rows of `lm_head` that are legal, so that the
vocabulary is never scored and nothing else can be chosen. The call is then generated on the same cache. Rows
of a batch may speak with different adapters. One thread at a time: `batching.Batcher` sees to it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from agents.adapters import BASE, AdapterError, attach
from agents.errors import ArtifactError
from agents.octopus.causal.batching import CallReply, CallRequest
from agents.octopus.causal.manifest import CausalManifest
from agents.octopus.causal.prompt import Prompt

Adapter: TypeAlias = str | None
Layers: TypeAlias = list[tuple[torch.Tensor, torch.Tensor]]
"""Hold keys and values of each layer, each [1, heads, shared, width]."""

_TOKENS_A_QUERY_TOKEN, _TOKENS_ANYHOW = 2, 64  # of a call, at most


@dataclass
class _Prefilled:
    """Hold rows after their prompts: cache, mask [rows, seen], next position [rows, 1], last hidden state."""

    cache: Any
    mask: torch.Tensor
    position: torch.Tensor
    hidden: torch.Tensor


class CausalModel:
    """Run a base model with its adapters.

    Args:
        model: a transformers causal model, with functional tokens in its vocabulary.
        end: id of `<nexa_end>`.
        banned: ids that may not stand within a call.
        shared: the ids that every prompt begins with.
        adapters: folder of adapters, by the name that requests use.
        most_tokens: of a call.
    """

    def __init__(
        self,
        model: Any,
        *,
        end: int,
        banned: Sequence[int] = (),
        shared: Sequence[int] = (),
        adapters: Path | None = None,
        most_tokens: int = 512,
    ) -> None:
        self._model = model.eval()
        self._tuned: Any = None
        self._adapters: dict[str, str] = {}
        self._folder = adapters
        self._end = end
        self._banned = torch.tensor(list(banned), dtype=torch.long, device=model.device)
        self.shared = tuple(shared)
        self._prefixes = PrefixCache(self._prefill_shared)
        self._most = most_tokens

    @classmethod
    def read(
        cls, folder: Path, manifest: CausalManifest, end: int, banned: Sequence[int], shared: Sequence[int]
    ) -> CausalModel:
        """Read the model of `folder`, onto the GPU if there is one.

        Raises:
            ArtifactError: its weights cannot be read.
            ModuleNotFoundError: the model needs a package that is not installed.
        """
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        if not sys.stderr.isatty():
            quiet: Any = logging.disable_progress_bar
            quiet()
        dtype = manifest.dtype if manifest.dtype == "auto" else getattr(torch, manifest.dtype)
        auto: Any = AutoModelForCausalLM
        try:
            model = auto.from_pretrained(
                folder / manifest.base, dtype=dtype, trust_remote_code=False, local_files_only=True
            )
        except ModuleNotFoundError:
            raise
        except Exception as error:  # files of anyone: JSON, pickle and safetensors all raise their own
            raise ArtifactError(f"{folder / manifest.base}: no causal model here ({error}).") from error
        model.to("cuda" if torch.cuda.is_available() else "cpu")
        most = manifest.most_tokens
        return cls(model, end=end, banned=banned, shared=shared, adapters=folder, most_tokens=most)

    @property
    def context(self) -> int:
        """Return how many tokens the model reads and writes."""
        return int(self._model.config.max_position_embeddings)

    @torch.inference_mode()
    def run(self, requests: Sequence[CallRequest]) -> list[CallReply]:
        """Decide a batch: choices from one prefill, then the calls of those that want one."""
        adapters = [request.adapter for request in requests]
        prefilled = self._prefill([request.prompt for request in requests], adapters)
        rows = self._legal_logits(prefilled.hidden, [request.legal for request in requests])
        picks = [request.pick(logits) for request, logits in zip(requests, rows, strict=True)]
        writing = [row for row, pick in enumerate(picks) if pick is not None]
        outputs: dict[int, tuple[int, ...]] = {}
        if writing:
            first = [requests[row].legal[pick] for row, pick in enumerate(picks) if pick is not None]
            most = [self._cap(requests[row].prompt) for row in writing]
            kept = _keep(prefilled, writing)
            written = self._write(kept, [adapters[row] for row in writing], first, most)
            outputs = dict(zip(writing, written, strict=True))
        return [CallReply(logits, outputs.get(row)) for row, logits in enumerate(rows)]

    def _cap(self, prompt: Prompt) -> int:
        room = self.context - len(prompt.shared) - len(prompt.own)
        return max(1, min(self._most, room, _TOKENS_A_QUERY_TOKEN * len(prompt.query) + _TOKENS_ANYHOW))

    def _prefill(self, prompts: Sequence[Prompt], adapters: Sequence[Adapter]) -> _Prefilled:
        longest = max(len(prompt.own) for prompt in prompts)
        tokens = torch.zeros(len(prompts), longest, dtype=torch.long)
        mask = torch.ones(len(prompts), len(self.shared) + longest, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            padding = longest - len(prompt.own)
            tokens[row, padding:] = torch.tensor(prompt.own)
            mask[row, len(self.shared) : len(self.shared) + padding] = 0
        device = self._model.device
        tokens, mask = tokens.to(device), mask.to(device)
        positions = (mask.cumsum(1) - 1)[:, -longest:].clamp(min=0)
        cache = self._prefixes.rows(adapters) if self.shared else None
        with self._speaking(adapters):
            found = self._backbone(tokens, cache, mask, positions)
        return _Prefilled(found.past_key_values, mask, positions[:, -1:] + 1, found.last_hidden_state[:, -1])

    def _prefill_shared(self, adapter: Adapter) -> Layers:
        tokens = torch.tensor([self.shared], device=self._model.device)
        with self._speaking([adapter]):
            found = self._backbone(tokens, None, None, None)
        return [(layer.keys, layer.values) for layer in found.past_key_values.layers]

    def _legal_logits(
        self, hidden: torch.Tensor, legal: Sequence[tuple[int, ...]]
    ) -> list[NDArray[np.float64]]:
        head = self._model.get_output_embeddings()
        found = []
        for state, ids in zip(hidden, legal, strict=True):
            rows = list(ids)
            logits = head.weight[rows] @ state
            if getattr(head, "bias", None) is not None:
                logits = logits + head.bias[rows]
            found.append(logits.double().cpu().numpy())
        return found

    def _write(
        self, state: _Prefilled, adapters: Sequence[Adapter], first: Sequence[int], most: Sequence[int]
    ) -> list[tuple[int, ...]]:
        """Write calls greedily; each ends with `<nexa_end>` or is cut at its cap."""
        head, outputs = self._model.get_output_embeddings(), [[token] for token in first]
        tokens = torch.tensor(first, device=self._model.device)[:, None]
        mask, position, cache = state.mask, state.position, state.cache
        with self._speaking(adapters):
            while not all(map(self._ended, outputs, most)):
                mask = torch.cat([mask, torch.ones_like(tokens)], dim=1)
                # A row that has ended is still computed, past its cap too, but never past the last position.
                found = self._backbone(tokens, cache, mask, position.clamp(max=self.context - 1))
                logits = head(found.last_hidden_state[:, -1])
                tokens = logits.index_fill(1, self._banned, -torch.inf).argmax(-1, keepdim=True)
                cache, position = found.past_key_values, position + 1
                for own, limit, token in zip(outputs, most, tokens[:, 0].tolist(), strict=True):
                    if not self._ended(own, limit):
                        own.append(token)
        return [tuple(own) for own in outputs]

    def _ended(self, output: Sequence[int], most: int) -> bool:
        return len(output) >= most or (len(output) > 1 and output[-1] == self._end)

    def _backbone(self, tokens: Any, cache: Any, mask: Any, positions: Any) -> Any:
        return self._model.base_model(
            tokens, past_key_values=cache, attention_mask=mask, position_ids=positions, use_cache=True
        )

    @contextmanager
    def _speaking(self, adapters: Sequence[Adapter]) -> Iterator[None]:
        """Give each row its adapter, within the block."""
        names = [BASE if adapter is None else self._loaded(adapter) for adapter in adapters]
        if self._tuned is None:
            yield
            return
        from peft.tuners.lora import LoraLayer

        def give_names(module: Any, given: Any, named: dict[str, Any]) -> Any:
            return given, named | {"adapter_names": names}

        layers: list[Any] = [module for module in self._tuned.modules() if isinstance(module, LoraLayer)]
        hooks = [layer.register_forward_pre_hook(give_names, with_kwargs=True) for layer in layers]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _loaded(self, adapter: str) -> str:
        """Return peft's name of `adapter`, which is loaded at its first use."""
        if adapter in self._adapters:
            return self._adapters[adapter]
        assert self._folder is not None
        folder = self._folder / adapter
        try:
            self._tuned, self._adapters[adapter] = attach(self._tuned or self._model, folder)
        except AdapterError as error:
            raise ArtifactError(f"{folder}: no adapter for this base ({error}).") from error
        return self._adapters[adapter]


def _keep(state: _Prefilled, rows: Sequence[int]) -> _Prefilled:
    """Return some rows of a prefilled batch."""
    if len(rows) == len(state.mask):
        return state
    chosen = torch.tensor(rows, device=state.mask.device)
    state.cache.batch_select_indices(chosen)
    return _Prefilled(state.cache, state.mask[chosen], state.position[chosen], state.hidden[chosen])


class PrefixCache:
    """Begin attention caches with the shared prompt, computed once for each adapter.

    An adapter changes keys and values, so each has its own. A growing cache concatenates and never writes in
    place, so that rows may be views of the stored tensors.

    Args:
        prefill: adapter → its layers for the shared prompt; called once for each adapter.
    """

    def __init__(self, prefill: Callable[[Adapter], Layers]) -> None:
        self._prefill = prefill
        self._layers: dict[Adapter, Layers] = {}

    def rows(self, adapters: Sequence[Adapter]) -> Any:
        """Return a `DynamicCache` with a row for each of `adapters`."""
        from transformers import DynamicCache

        found = [self._of(adapter) for adapter in adapters]
        cache = DynamicCache()
        for place, (keys, values) in enumerate(found[0]):
            if len(set(adapters)) == 1:
                batch = [own.expand(len(found), -1, -1, -1) for own in (keys, values)]
            else:
                batch = [torch.cat([layers[place][part] for layers in found]) for part in (0, 1)]
            cache.update(batch[0], batch[1], place)
        return cache

    def _of(self, adapter: Adapter) -> Layers:
        if adapter not in self._layers:
            self._layers[adapter] = self._prefill(adapter)
        return self._layers[adapter]
