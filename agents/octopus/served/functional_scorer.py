"""Ask a served model that writes calls, `<nexa_4>('rewritten query')<nexa_end>`, an adapter per node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agents.errors import RoutingError
from agents.octopus.causal.grammar import MalformedCallError, read_call
from agents.octopus.causal.manifest import CallFormat
from agents.types import Edge

_PROBE = "Where does this go?"


@dataclass(frozen=True, slots=True)
class RouterPrompt:
    """Hold a prompt in parts: control text, what the user said, control text, the chosen token."""

    before: str
    query: str
    after: str
    token: str = ""

    @property
    def text(self) -> str:
        """Return the whole."""
        return self.before + self.query + self.after + self.token


@dataclass(frozen=True, slots=True)
class Completion:
    """Hold generated text, and whether it came to its end token."""

    text: str
    ended: bool


class TokenEngine(Protocol):
    """Ask a server whose model has functional tokens.

    Attributes:
        constrains: whether it can keep the model to given tokens.
    """

    constrains: bool

    async def score(
        self, prompt: RouterPrompt, tokens: Sequence[str], only: Sequence[str] = ()
    ) -> Mapping[str, float]:
        """Return the log-probability of each of `tokens` as the next one.

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
        """Write greedily after the prompt, up to the token `end`; at most `most` tokens that fit."""
        ...


@dataclass
class FunctionalScorer:
    """Score the next token, then let the model write the call.

    Attributes:
        engine: the server.
        format: of the model.
    """

    engine: TokenEngine
    format: CallFormat = field(default_factory=CallFormat)

    async def probe(self, candidates: Sequence[Edge]) -> None:
        """Allow the model one token, then another: whoever ignores that returns the same twice."""
        if not self.engine.constrains:
            return
        tokens = [self.format.spelling(one.token) for one in candidates]
        for only in (tokens[-1], self.format.end):
            await self.engine.score(self._prompt(_PROBE), tokens, only=[only])

    async def score(self, query: str, candidates: Sequence[Edge]) -> Sequence[float]:
        """Score the candidates' functional tokens."""
        tokens = [self.format.spelling(one.token) for one in candidates]
        found = await self.engine.score(self._prompt(query), tokens)
        return [found[token] for token in tokens]

    async def rewrite(self, query: str, chosen: Edge) -> str:
        """Let the model write the call; it was trained to write the template too."""
        prompt = self._prompt(query, self.format.spelling(chosen.token))
        written = await self.engine.complete(prompt, self.format.end, self.format.most_tokens)
        if not written.ended:
            raise MalformedCallError(f"the Octopus wrote no {self.format.end} within its limit.", "no end")
        return read_call(written.text)

    def _prompt(self, query: str, token: str = "") -> RouterPrompt:
        return RouterPrompt(self.format.before, self.format.harmless(query), self.format.after, token)


def illegal(token: object, candidates: Sequence[str]) -> RoutingError:
    """Return the error for a token that is not an edge away."""
    return RoutingError(
        f"the Octopus returned {token!r}, which is not one of {len(candidates)} legal tokens "
        f"({', '.join(candidates[:4])}{', …' if len(candidates) > 4 else ''}).",
        hint="Its server does not keep to the constraint that it was given.",
    )
