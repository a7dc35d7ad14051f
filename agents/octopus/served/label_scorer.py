"""Ask a served chat model that was never trained to route: it chooses among neighbours by a letter."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Protocol

from agents.errors import RoutingError
from agents.octopus.causal.grammar import MalformedCallError
from agents.types import Edge

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
