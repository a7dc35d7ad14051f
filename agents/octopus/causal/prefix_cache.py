"""Keys and values of the prompt that all requests share, computed once for each adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch

Adapter: TypeAlias = str | None
Layers: TypeAlias = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of each layer, each [1, heads, shared, width]."""


class PrefixCache:
    """Attention caches that begin with the shared prompt.

    An adapter changes keys and values, so each has its own. A growing cache concatenates and never writes in
    place, so that rows may be views of the stored tensors.

    Args:
        prefill: adapter → its layers for the shared prompt; called once for each adapter.
    """

    def __init__(self, prefill: Callable[[Adapter], Layers]) -> None:
        self._prefill = prefill
        self._layers: dict[Adapter, Layers] = {}

    def rows(self, adapters: Sequence[Adapter]) -> Any:
        """A `DynamicCache` with a row for each of `adapters`."""
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
