"""Does the last turn follow up on what was said before, or does it change the subject?

"And its second derivative?" cannot be routed by itself: it goes where the question before it went. A small
logistic model tells follow-ups from new questions by what routing already knows of both turns, so that it
holds for any graph. Its weights are trained by `training/dialogue.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.errors import ArtifactError

MODEL = Path(__file__).parent / "artifacts" / "dialogue.json"

# Closed word classes of English: what points back, what joins on, and what carries no subject.
_POINTING = frozenset(
    "it its it's that that's this these those they them their he she him her his one ones same there here so "
    "such both either other another else again instead above previous earlier first second last "
    "former latter".split()
)
_JOINING = frozenset("and but or so also then what about how why ok okay hmm now".split())
_EMPTY = frozenset(
    "a an the of in on at to for from by with as is are was were be been am do does did done can could would "
    "should will shall may might must have has had i you we me my your our us please just give show tell "
    "explain say if not no yes more less much many than very really too who whom when where which whose "
    "up out get got make let's let lets thanks thank mean means meant any some all".split()
).union(_POINTING, _JOINING)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")

FEATURES = (
    "similarity",
    "log_words",
    "content_words",
    "pointing",
    "joins_on",
    "confidence",
    "agreement",
    "confidence_before",
    "similarity_with_confidence",
)


@dataclass(frozen=True, slots=True)
class Turn:
    """A human turn: its text, its unit embedding [384], its own routing probabilities [n + 1]."""

    text: str
    vector: NDArray[np.float32]
    probabilities: NDArray[np.float64]


def follow_up_features(turn: Turn, before: Turn) -> NDArray[np.float64]:
    """The features [len(FEATURES)] of `turn` in the light of the turn before it."""
    words = _WORD.findall(turn.text.lower())
    content = [word for word in words if word not in _EMPTY]
    similarity = float(turn.vector @ before.vector)
    confidence = float(turn.probabilities[:-1].max())
    return np.array(
        [
            similarity,
            np.log1p(len(words)),
            np.log1p(len(content)),
            min(2, sum(word in _POINTING for word in words)),
            float(bool(words) and words[0] in _JOINING),
            confidence,
            float(np.sqrt(turn.probabilities * before.probabilities).sum()),
            float(before.probabilities[:-1].max()),
            similarity * (1 - confidence),
        ]
    )


@dataclass(frozen=True)
class FollowUpModel:
    """Logistic regression over `FEATURES`."""

    weights: NDArray[np.float64]
    bias: float

    def probability(self, turn: Turn, before: Turn) -> float:
        """That `turn` follows up on `before`, in [0, 1]."""
        return float(1 / (1 + np.exp(-(self.weights @ follow_up_features(turn, before) + self.bias))))


@lru_cache(maxsize=1)
def load_follow_up_model(path: Path = MODEL) -> FollowUpModel:
    """The shipped model.

    Raises:
        ArtifactError: it is missing or of other features.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        weights = np.array([stored["weights"][name] for name in FEATURES])
        return FollowUpModel(weights, float(stored["bias"]))
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactError(f"{path}: cannot be used ({error}).", hint="Reinstall the project.") from error


@dataclass(frozen=True, slots=True)
class Reading:
    """A conversation as it is routed.

    Attributes:
        probabilities: [n + 1] for the last turn, in context.
        follow_up: probability that the last turn follows up on the one before; 0 for a first turn.
        refers_to: the earlier turn that carries the subject, or "" where the last turn stands by itself.
    """

    probabilities: NDArray[np.float64]
    follow_up: float
    refers_to: str


def read_conversation(turns: Sequence[Turn], model: FollowUpModel) -> Reading:
    """Mix each turn's own routing with that of the subject before it, by the follow-up probability."""
    subject = turns[0]
    follow_up, refers_to = 0.0, ""
    for turn in turns[1:]:
        follow_up = model.probability(turn, subject)
        mixed = follow_up * subject.probabilities + (1 - follow_up) * turn.probabilities
        if follow_up > 0.5:
            refers_to = subject.text
            subject = Turn(subject.text, subject.vector, mixed)
        else:
            refers_to = ""
            subject = Turn(turn.text, turn.vector, mixed)
    return Reading(subject.probabilities, follow_up, refers_to)
