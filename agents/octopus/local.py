"""What the Octopuses that run in this process have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from agents.octopus.encoder.octopus import Neighbour
from agents.types import Octopus, Route


@runtime_checkable
class LocalOctopus(Octopus, Protocol):
    """An Octopus that decides in this process, many queries at once if need be."""

    @property
    def neighbours(self) -> Sequence[Neighbour]:
        """The edges of its node."""
        ...

    def decide(self, turns: Sequence[str]) -> Route:
        """The route for the last of `turns`, human turns in order; blocking."""
        ...

    def decide_all(self, conversations: Sequence[Sequence[str]]) -> list[Route]:
        """A route for each conversation; blocking."""
        ...
