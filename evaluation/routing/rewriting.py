"""What walking does to queries before a worker sees them: cut into parts, rewritten, bypassed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agents.fidelity import lost
from agents.octopus.conversation.compound import parts_of
from agents.octopus.conversation.human_turns import clean_turns
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.types import Decision


@dataclass(frozen=True, slots=True)
class RewritingMetrics:
    """Shares in [0, 1] of `rows` conversations.

    Attributes:
        cut: of those whose last turn is taken for several questions.
        changed: of those whose query reaches the worker in other words than it was asked, faithfully.
        bypassed: of those whose rewrite lost something, so that the original is sent.
    """

    rows: int
    cut: float
    changed: float
    bypassed: float


def evaluate_rewriting(octopus: EncoderOctopus, conversations: Sequence[Sequence[str]]) -> RewritingMetrics:
    """Measure what becomes of the last turn of each of `conversations`."""
    turns = [clean_turns(conversation) for conversation in conversations]
    routes = zip(turns, octopus.decide_all(turns), strict=True)
    kinds = Counter(_kind(own[-1], route) for own, route in routes if route.node is not None)
    cut = sum(_is_cut(octopus, conversation[-1]) for conversation in turns)
    rows = max(1, len(turns))
    return RewritingMetrics(len(turns), cut / rows, kinds["changed"] / rows, kinds["bypassed"] / rows)


def _kind(said: str, route: Decision) -> str:
    if said == route.rewritten:
        return "same"
    return "bypassed" if lost(route.question, route.rewritten) else "changed"


def _is_cut(octopus: EncoderOctopus, text: str) -> bool:
    parts = parts_of(text)
    if len(parts) < 2:
        return False
    routes = octopus.decide_all([[part] for part in parts])
    return all(route.node is not None and route.decided_by in ("token", "examples") for route in routes)
