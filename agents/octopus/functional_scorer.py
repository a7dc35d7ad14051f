"""A served model with functional tokens: `<nexa_4>('rewritten query')<nexa_end>`, one adapter per master."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.octopus.call_text import MalformedCallError, read_call
from agents.octopus.remote import RemoteNeighbour
from agents.octopus.tokens import END_TOKEN, defuse, parse_token
from agents.octopus.wire.token_ids import RouterPrompt
from agents.octopus.wire.types import TokenEngine
from agents.types import FunctionalToken

_PROBE = "Where does this go?"


@dataclass(frozen=True, slots=True)
class CallFormat:
    """How a model was taught to read and write.

    Attributes:
        before, after: the prompt around the query; by default those of Octopus v4 (arXiv 2404.19296).
        slot, end: what its vocabulary calls functional tokens; `{slot}` stands for the slot's number.
        most_tokens: of a call.
    """

    before: str = (
        "<|system|>You are a router. Below is the query from the users, please call the correct function and "
        "generate the parameters to call the function.<|end|><|user|>"
    )
    after: str = "<|end|><|assistant|>"
    slot: str = "<nexa_{slot}>"
    end: str = str(END_TOKEN)
    most_tokens: int = 512

    def spelling(self, token: FunctionalToken) -> str:
        """What the model calls a token of the spec."""
        return self.end if token == END_TOKEN else self.slot.replace("{slot}", str(parse_token(token)))


@dataclass
class FunctionalScorer:
    """Scores the next token, then lets the model write the call.

    Attributes:
        engine: the server.
        format: of the model.
    """

    engine: TokenEngine
    format: CallFormat = field(default_factory=CallFormat)

    async def probe(self, candidates: Sequence[RemoteNeighbour]) -> None:
        """Allow the model one token, then another: whoever ignores that returns the same twice."""
        tokens = [self.format.spelling(one.token) for one in candidates]
        if not self.engine.constrains:
            return
        for only in dict.fromkeys((tokens[0], tokens[-1])) if len(tokens) > 1 else (self.format.end,):
            await self.engine.score(self._prompt(_PROBE), tokens, only=[only])

    async def score(self, query: str, candidates: Sequence[RemoteNeighbour]) -> Sequence[float]:
        """See `Scorer`."""
        tokens = [self.format.spelling(one.token) for one in candidates]
        found = await self.engine.score(self._prompt(query), tokens)
        return [found[token] for token in tokens]

    async def rewrite(self, query: str, chosen: RemoteNeighbour) -> str:
        """See `Scorer`."""
        prompt = self._prompt(query, self.format.spelling(chosen.token))
        written = await self.engine.complete(prompt, self.format.end, self.format.most_tokens)
        if not written.ended:
            raise MalformedCallError(f"the Octopus wrote no {self.format.end} within its limit.")
        return read_call(written.text)

    def _prompt(self, query: str, token: str = "") -> RouterPrompt:
        return RouterPrompt(self.format.before, defuse(query), self.format.after, token)
