"""Score neighbours with a served model, and define what its server has to do.

A model that was trained to route writes calls, `<nexa_4>('rewritten query')<nexa_end>`, with an adapter per
node. One that was not is shown the neighbours under letters, and chooses one.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
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


_VOTES = 5  # samples where a server gives no log-probabilities
_MOST_TOKENS = 256  # of a rewritten query
_DESCRIPTION = 200  # characters that are shown
CHOOSE = (
    "You are a router. You do not answer: you choose the expert that answers best. Reply with the letter of "
    "one expert.\n\n{experts}"
)
_REWRITE = (
    "You rewrite questions for an expert.\nThe expert: {description}\nKeep every number, unit, name, "
    "negation, formula, code and quotation as it is. If the question is clear as it is, repeat it. Reply "
    "with the rewritten question and nothing else; do not answer it."
)


class ChatEngine(Protocol):
    """Ask a server of a plain chat model.

    Attributes:
        most_choices: how many labels it can score at once.
    """

    most_choices: int

    async def choose(
        self, system: str, user: str, labels: Sequence[str], temperature: float = 0.0
    ) -> tuple[str, Mapping[str, float] | None]:
        """Return the label that the model writes, one of `labels`, and their log-probabilities if given.

        Raises:
            RoutingError: it wrote something else.
            ModelUnavailableError: it cannot be reached or refuses.
        """
        ...

    async def write(self, system: str, user: str, most: int) -> str:
        """Write greedily, at most `most` tokens."""
        ...


@dataclass
class LabelScorer:
    """Score letters; where there are more neighbours than a server scores at once, in rounds.

    Attributes:
        engine: the server.
    """

    engine: ChatEngine

    async def probe(self, candidates: Sequence[Edge]) -> None:
        """Allow the model one letter, then another: whoever ignores that will not write both."""
        for letter in ("X", "Q"):
            written, _ = await self.engine.choose("Reply with a letter.", "Which letter?", [letter])
            if written != letter:
                raise RoutingError(f"the Octopus was to write {letter!r} and wrote {written!r}.")

    async def score(self, query: str, candidates: Sequence[Edge]) -> Sequence[float]:
        """Score the candidates, in rounds where there are many: ln p(group) + ln p(candidate | group)."""
        most = min(self.engine.most_choices, len(ascii_uppercase))
        if len(candidates) <= most:
            return await self._round(query, candidates)
        groups = [candidates[start : start + most] for start in range(0, len(candidates), most)]
        rounds = await asyncio.gather(*(self._round(query, group) for group in groups))
        best = [
            group[max(range(len(group)), key=scores.__getitem__)]
            for group, scores in zip(groups, rounds, strict=True)
        ]
        finals = await self.score(query, best)
        return [final + one for final, scores in zip(finals, rounds, strict=True) for one in scores]

    async def rewrite(self, query: str, chosen: Edge) -> str:
        """Let the model write the query; it knows no template, so what it writes is put into it."""
        system = _REWRITE.format(description=f"{chosen.node}. {chosen.description}".strip())
        written = (await self.engine.write(system, query, _MOST_TOKENS)).strip()
        if not written:
            raise MalformedCallError("the Octopus wrote an empty query.", "empty rewrite")
        return chosen.query(written)

    async def _round(self, query: str, candidates: Sequence[Edge]) -> list[float]:
        """Return normalised log-probabilities of at most `most_choices` candidates."""
        labels = ascii_uppercase[: len(candidates)]
        shown = (
            f"{label}: {one.node}. {' '.join(one.description.split())[:_DESCRIPTION]}"
            for label, one in zip(labels, candidates, strict=True)
        )
        system = CHOOSE.format(experts="\n".join(shown))
        _, given = await self.engine.choose(system, query, labels)
        if given is None:
            given = await self._votes(system, query, labels)
        least = min(given.values())  # a letter beyond what the server lists has at most that
        logprobs = [given.get(label, least) for label in labels]
        most = max(logprobs)
        total = most + math.log(sum(math.exp(lp - most) for lp in logprobs))
        return [lp - total for lp in logprobs]

    async def _votes(self, system: str, query: str, labels: Sequence[str]) -> Mapping[str, float]:
        """Return shares of sampled letters, smoothed so that none is impossible."""
        asked = (self.engine.choose(system, query, labels, temperature=1.0) for _ in range(_VOTES))
        counts = Counter(letter for letter, _ in await asyncio.gather(*asked))
        share = 1 / len(labels)
        return {label: math.log((counts[label] + share) / (_VOTES + 1)) for label in labels}
