"""Which letter a constrained reply holds, and the log-probabilities of the letters in its place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pydantic import Field

from agents.octopus.served.wire.http import Reply
from agents.octopus.served.wire.token_ids import illegal


class Alternative(Reply):
    """A token that the model might have written."""

    token: str
    logprob: float


class Position(Alternative):
    """A token that it wrote."""

    top_logprobs: list[Alternative] = Field(default_factory=list)


def letter_in(content: str, labels: Sequence[str]) -> str:
    """The letter of a reply such as `B`, `"B"` or `{"letter": "B"}`.

    Raises:
        RoutingError: it is none of the labels.
    """
    found = _bare(content.replace('"letter"', ""))
    if found not in labels:
        raise illegal(content[:40], labels)
    return found


def letters_at(
    positions: Sequence[Position] | None, letter: str, labels: Sequence[str]
) -> Mapping[str, float] | None:
    """Log-probabilities of the labels where `letter` was written; None if the server gave none."""
    place = next((one for one in positions or () if _bare(one.token) == letter), None)
    if place is None:
        return None
    found: dict[str, list[float]] = {letter: []}
    for one in place.top_logprobs or [place]:
        if (label := _bare(one.token)) in labels:  # `"A` and ` A` are A too
            found.setdefault(label, []).append(one.logprob)
    found[letter] = found[letter] or [place.logprob]
    return {label: math.log(sum(map(math.exp, values)) or 5e-324) for label, values in found.items()}


def _bare(token: str) -> str:
    return token.strip(' \t\n":{}')
