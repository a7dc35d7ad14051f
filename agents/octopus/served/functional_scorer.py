"""A served model with functional tokens: `<nexa_4>('rewritten query')<nexa_end>`, one adapter per master."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.octopus.causal.call_text import MalformedCallError, read_call
from agents.octopus.causal.manifest import CallFormat
from agents.octopus.served.wire.token_ids import RouterPrompt
from agents.octopus.served.wire.types import TokenEngine
from agents.types import Edge

_PROBE = "Where does this go?"


@dataclass
class FunctionalScorer:
    """Scores the next token, then lets the model write the call.

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
        """See `Scorer`."""
        tokens = [self.format.spelling(one.token) for one in candidates]
        found = await self.engine.score(self._prompt(query), tokens)
        return [found[token] for token in tokens]

    async def rewrite(self, query: str, chosen: Edge) -> str:
        """See `Scorer`. The model was trained to write the template too, so its call is sent as written."""
        prompt = self._prompt(query, self.format.spelling(chosen.token))
        written = await self.engine.complete(prompt, self.format.end, self.format.most_tokens)
        if not written.ended:
            raise MalformedCallError(f"the Octopus wrote no {self.format.end} within its limit.", "no end")
        return read_call(written.text)

    def _prompt(self, query: str, token: str = "") -> RouterPrompt:
        return RouterPrompt(self.format.before, self.format.harmless(query), self.format.after, token)
