"""What the Octopuses that run in this process have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from agents.types import Decision, Edge, Octopus


@runtime_checkable
class LocalOctopus(Octopus, Protocol):
    """An Octopus that decides in this process, many queries at once if need be."""

    @property
    def neighbours(self) -> Sequence[Edge]:
        """The edges of its node."""
        ...

    def decide(self, turns: Sequence[str]) -> Decision:
        """The route for the last of `turns`, human turns in order; blocking."""
        ...

    def decide_all(self, conversations: Sequence[Sequence[str]]) -> list[Decision]:
        """A route for each conversation; blocking."""
        ...
