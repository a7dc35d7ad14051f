"""Track what workers cost and how busy they are, as declared in the spec and measured in runs.

Capacity is that of mixture-of-experts layers (GShard, arXiv 2006.16668; Switch Transformers, arXiv
2101.03961) at the level of models: a worker takes so many calls at once, and the next choice takes the rest.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from agents.types import NodeName

Policy = Literal["quality", "balanced", "cheap"]

# How many nats the most burdensome candidate loses: its odds fall by e^1 or e^3.
_WEIGHT: Mapping[Policy, float] = {"quality": 0.0, "balanced": 1.0, "cheap": 3.0}
_TYPICAL = (400.0, 200.0)  # tokens in and out, before anything was measured
_PROMISE = 2.0  # seconds for which a place is held for a call that was decided and has not begun


@dataclass(frozen=True, slots=True)
class Profile:
    """Hold what is known of a worker beforehand; None is unknown.

    Attributes:
        price: dollars for a million tokens, in and out.
        size: billions of parameters.
        latency: seconds for an answer.
        capacity: concurrent calls in this process.
    """

    price: tuple[float, float] | None = None
    size: float | None = None
    latency: float | None = None
    capacity: int | None = None


@dataclass
class _Measured:
    calls: int = 0
    seconds: float = 0.0
    tokens: tuple[float, float] = (0.0, 0.0)


@dataclass
class Ledger:
    """Keep account of the workers of one graph in this process.

    Attributes:
        profiles: what the spec says, for workers that it says anything about.
    """

    profiles: Mapping[NodeName, Profile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._measured: dict[NodeName, _Measured] = {}
        self._running: dict[NodeName, int] = {}
        self._promised: dict[NodeName, list[float]] = {}
        self._free: dict[NodeName, asyncio.Semaphore] = {}

    def cost(self, node: NodeName, usage: tuple[float, float] | None = None) -> float:
        """Return the dollars of a call of `usage` tokens in and out, or of a mean call; 0 without a price."""
        price = self.profile(node).price
        used = usage or self._mean_tokens(node)
        return (price[0] * used[0] + price[1] * used[1]) / 1e6 if price else 0.0

    def latency(self, node: NodeName) -> float | None:
        """Return the seconds of a call: the running mean, or before the first one what the spec says."""
        measured = self._measured.get(node)
        return measured.seconds / measured.calls if measured else self.profile(node).latency

    def record(self, node: NodeName, usage: tuple[float, float], seconds: float) -> None:
        """Include a call in the running means."""
        measured = self._measured.setdefault(node, _Measured())
        measured.calls += 1
        measured.seconds += seconds
        measured.tokens = (measured.tokens[0] + usage[0], measured.tokens[1] + usage[1])

    def prefer(self, policy: Policy, choices: Sequence[tuple[NodeName, float]]) -> NodeName:
        """Return the choice of the highest utility: ln p less the weighted burden.

        The burden is the mean of price, size and latency, each as a share of the largest among the choices;
        what is not known of all choices does not count.

        Args:
            policy: how much the burden weighs.
            choices: (node, probability), at least one.
        """
        burdens = self._burdens([node for node, _ in choices])
        utility = [
            math.log(max(p, 1e-12)) - _WEIGHT[policy] * burden
            for (_, p), burden in zip(choices, burdens, strict=True)
        ]
        return choices[utility.index(max(utility))][0]

    def full(self, node: NodeName) -> bool:
        """Return whether the calls begun and promised fill its capacity."""
        capacity = self.profile(node).capacity
        now = time.monotonic()
        held = [at for at in self._promised.get(node, []) if now - at < _PROMISE]
        self._promised[node] = held
        return capacity is not None and self._running.get(node, 0) + len(held) >= capacity

    def promise(self, node: NodeName) -> None:
        """Hold a place for a call that was decided."""
        self._promised.setdefault(node, []).append(time.monotonic())

    @asynccontextmanager
    async def serving(self, node: NodeName) -> AsyncIterator[None]:
        """Count a call while it runs; wait while the worker is at its capacity."""
        if held := self._promised.get(node):
            held.pop(0)
        self._running[node] = self._running.get(node, 0) + 1
        try:
            if (capacity := self.profile(node).capacity) is None:
                yield
            else:
                async with self._free.setdefault(node, asyncio.Semaphore(capacity)):
                    yield
        finally:
            self._running[node] -= 1

    def profile(self, node: NodeName) -> Profile:
        """Return what the spec says of a worker."""
        return self.profiles.get(node, Profile())

    def _mean_tokens(self, node: NodeName) -> tuple[float, float]:
        measured = self._measured.get(node)
        if measured is None or not any(measured.tokens):
            return _TYPICAL
        return measured.tokens[0] / measured.calls, measured.tokens[1] / measured.calls

    def _burdens(self, nodes: Sequence[NodeName]) -> list[float]:
        priced = all(self.profile(node).price for node in nodes)
        columns = (
            [self.cost(node) if priced else None for node in nodes],
            [self.profile(node).size for node in nodes],
            [self.latency(node) for node in nodes],
        )
        shares = []
        for column in columns:
            known = [value for value in column if value is not None]
            if len(known) == len(nodes) and max(known) > 0:
                shares.append([value / max(known) for value in known])
        return [sum(column) / len(shares) for column in zip(*shares, strict=True)] or [0.0] * len(nodes)


def usage_of(evidence: Mapping[str, Any]) -> tuple[int, int]:
    """Return the input and output tokens in a worker's evidence, by any of their usual names."""
    usage = evidence.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    into = usage.get("input_tokens") or usage.get("prompt_tokens") or 0
    out = usage.get("output_tokens") or usage.get("completion_tokens") or 0
    return int(into), max(int(out), int(usage.get("total_tokens") or 0) - int(into))
