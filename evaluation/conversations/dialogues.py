"""Routing within conversations: follow-ups stay on the subject, changes leave it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.octopus.conversation.follow_ups import Turn, read_conversation
from agents.octopus.encoder.octopus import EncoderOctopus
from evaluation.metrics import places
from evaluation.routing.benchmark import check_nodes, octopus_predictions


@dataclass(frozen=True, slots=True)
class DialogueMetrics:
    """Accuracy of the last turn's node, in [0, 1], for one way of reading.

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
    """The octopus beside two baselines: the last turn alone, and all turns as one text."""
    nodes = check_nodes(octopus, [node for row in rows for node in row["nodes"]])
    gold = places(nodes, [row["nodes"][-1] for row in rows])
    follows = np.array([row["nodes"][-1] == row["nodes"][-2] for row in rows])
    turns = [row["turns"] for row in rows]
    read = np.array([_refers_back(octopus, own) for own in turns])

    def accuracy(conversations: Sequence[Sequence[str]]) -> NDArray[np.bool_]:
        return np.asarray(octopus_predictions(octopus, conversations).chosen == gold)

    octopus_right = accuracy(turns)
    found = {"octopus": _metrics(octopus_right, follows, read)}
    found["last turn only"] = _metrics(accuracy([own[-1:] for own in turns]), follows)
    found["turns as one text"] = _metrics(accuracy([["\n".join(own)] for own in turns]), follows)
    return found


def _refers_back(octopus: EncoderOctopus, turns: Sequence[str]) -> bool:
    vectors = octopus.encoder.embed(turns, top=octopus.top)
    read = [
        Turn(text, vector, octopus.head.probabilities(text, vector))
        for text, vector in zip(turns, vectors, strict=True)
    ]
    return bool(read_conversation(read, octopus.follow_up).refers_to)


def _metrics(
    right: NDArray[np.bool_], follows: NDArray[np.bool_], read: NDArray[np.bool_] | None = None
) -> DialogueMetrics:
    return DialogueMetrics(
        follow_ups=float(right[follows].mean()),
        changes=float(right[~follows].mean()),
        every=float(right.mean()),
        recognised_follow_ups=None if read is None else float(read[follows].mean()),
        recognised_changes=None if read is None else float((~read[~follows]).mean()),
    )
