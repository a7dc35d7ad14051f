"""Read the graph for planning: nodes by place, and whom each may go on to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from agents.types import NodeName

Places = NDArray[np.int64]
Path = tuple[int, ...]
"""Hold the places of a path's nodes, without the entry that it starts from."""


@dataclass(frozen=True)
class PathGraph:
    """Number the nodes 0..n-1; the place n stands for `<nexa_end>`.

    Attributes:
        nodes: [n] names.
        neighbours: [n] places of each node's neighbours, in the spec's order.
        stops: whether a path may end at a node: at a worker it may, at a master not.
        entry: the place where every path starts.
    """

    nodes: tuple[NodeName, ...]
    neighbours: tuple[Places, ...]
    stops: tuple[bool, ...]
    entry: int

    @classmethod
    def of(
        cls,
        neighbours: Mapping[NodeName, Sequence[NodeName]],
        entry: NodeName,
        masters: Sequence[NodeName] = (),
    ) -> Self:
        """Build the graph of `neighbours` by node; `masters` only lead on."""
        names = tuple(neighbours)
        place = {name: k for k, name in enumerate(names)}
        return cls(
            names,
            tuple(np.array([place[n] for n in ahead], dtype=np.int64) for ahead in neighbours.values()),
            tuple(name not in set(masters) for name in names),
            place[entry],
        )

    @property
    def end(self) -> int:
        """Return the place that stands for `<nexa_end>`."""
        return len(self.nodes)

    @cached_property
    def place(self) -> dict[NodeName, int]:
        """Return the place of each node."""
        return {name: k for k, name in enumerate(self.nodes)}

    def candidates(self, at: int, visited: Path) -> Places:
        """Return what may be chosen at node `at`: its neighbours and, last, the end where a path may end.

        A path has at least one step, and it ends at a worker.
        """
        if visited and self.stops[visited[-1]]:
            return np.append(self.neighbours[at], self.end)
        return self.neighbours[at]

    @cached_property
    def edges(self) -> dict[tuple[int, int], int]:
        """Number each (node, neighbour) and each (worker, end)."""
        pairs = [(k, int(n)) for k, ahead in enumerate(self.neighbours) for n in ahead]
        pairs += [(k, self.end) for k, stops in enumerate(self.stops) if stops]
        return {pair: row for row, pair in enumerate(pairs)}
