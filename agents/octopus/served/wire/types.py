"""What an engine does for an Octopus, whatever its wire format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.octopus.served.wire.token_ids import RouterPrompt


@dataclass(frozen=True, slots=True)
class Completion:
    """Generated text, and whether it came to its end token."""

    text: str
    ended: bool


class TokenEngine(Protocol):
    """A server whose model has functional tokens.

    Attributes:
        constrains: whether it can keep the model to given tokens.
    """

    constrains: bool

    async def score(
        self, prompt: RouterPrompt, tokens: Sequence[str], only: Sequence[str] = ()
    ) -> Mapping[str, float]:
        """Log-probability of each of `tokens` as the next one.

        Args:
            prompt: what the model reads.
            tokens: the legal ones.
            only: constrain the model to these instead, to see whether it is constrained at all.

        Raises:
            RoutingError: the server returned another token than it was allowed to.
            ModelUnavailableError: it cannot be reached, refuses, or has no such tokens.
            InputError: the query spells a functional token.
        """
        ...

    async def complete(self, prompt: RouterPrompt, end: str, most: int) -> Completion:
        """Greedy text after the prompt, before the token `end`; at most `most` tokens, as far as they fit."""
        ...


class ChatEngine(Protocol):
    """A server of a plain chat model.

    Attributes:
        most_choices: how many labels it can score at once.
    """

    most_choices: int

    async def choose(
        self, system: str, user: str, labels: Sequence[str], temperature: float = 0.0
    ) -> tuple[str, Mapping[str, float] | None]:
        """The label that the model writes, constrained to `labels`, and their log-probabilities if given.

        Raises:
            RoutingError: it wrote something else.
            ModelUnavailableError: it cannot be reached or refuses.
        """
        ...

    async def write(self, system: str, user: str, most: int) -> str:
        """Greedy text of at most `most` tokens."""
        ...
