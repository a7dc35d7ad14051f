"""Score routing within conversations: follow-ups stay, changes leave, and queries are cut or rewritten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.fidelity import lost
from agents.octopus.conversation.compound import parts_of
from agents.octopus.conversation.follow_ups import ReadTurn, read_conversation
from agents.octopus.conversation.human_turns import clean_turns
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.types import Decision
from evaluation.routing.metrics import check_nodes, decide_each, places, predict


@dataclass(frozen=True, slots=True)
class DialogueMetrics:
    """Hold the accuracy of the last turn's node, in [0, 1], for one way of reading.

    Attributes:
        follow_ups: over dialogues whose last turn stays on the subject.
        changes: over dialogues whose last turn leaves it.
        every: over all.
        recognised_follow_ups, recognised_changes: share that is read as what it is, whatever its node; None
            for a baseline, which does not tell them apart.
    """

    follow_ups: float
    changes: float
    every: float
    recognised_follow_ups: float | None = None
    recognised_changes: float | None = None


def evaluate_dialogues(octopus: EncoderOctopus, rows: Sequence[dict[str, Any]]) -> dict[str, DialogueMetrics]:
    """Measure the octopus beside two baselines: the last turn alone, and all turns as one text."""
    nodes = check_nodes(octopus, [node for row in rows for node in row["nodes"]])
    gold = places(nodes, [row["nodes"][-1] for row in rows])
    follows = np.array([row["nodes"][-1] == row["nodes"][-2] for row in rows])
    turns = [row["turns"] for row in rows]
    read = np.array([_refers_back(octopus, own) for own in turns])

    def metrics(
        conversations: Sequence[Sequence[str]], read: NDArray[np.bool_] | None = None
    ) -> DialogueMetrics:
        right = predict(octopus, conversations).chosen == gold
        return DialogueMetrics(
            follow_ups=float(right[follows].mean()),
            changes=float(right[~follows].mean()),
            every=float(right.mean()),
            recognised_follow_ups=None if read is None else float(read[follows].mean()),
            recognised_changes=None if read is None else float((~read[~follows]).mean()),
        )

    return {
        "octopus": metrics(turns, read),
        "last turn only": metrics([own[-1:] for own in turns]),
        "turns as one text": metrics([["\n".join(own)] for own in turns]),
    }


def _refers_back(octopus: EncoderOctopus, turns: Sequence[str]) -> bool:
    vectors = octopus.encoder.embed(turns, top=octopus.top)
    read = [
        ReadTurn(text, vector, octopus.head.probabilities(text, vector))
        for text, vector in zip(turns, vectors, strict=True)
    ]
    return bool(read_conversation(read, octopus.follow_up).refers_to)


@dataclass(frozen=True, slots=True)
class RewritingMetrics:
    """Hold what becomes of queries before a worker sees them, as shares in [0, 1] of `rows` conversations.

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
    routes = zip(turns, decide_each(octopus, turns), strict=True)
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
