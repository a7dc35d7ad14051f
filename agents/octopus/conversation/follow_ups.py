"""Tell whether the last turn follows up on what was said before, or changes the subject.

"And its second derivative?" cannot be routed by itself: it goes where the question before it went. A small
logistic model tells follow-ups from new questions by what routing already knows of both turns, so that it
holds for any graph. Its weights are trained by `training/router/follow_ups.py`.
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

MODEL = Path(__file__).parent.parent / "artifacts" / "dialogue.json"

# Closed word classes of English: what points back, what joins on, and what carries no subject.
_POINTING = frozenset(
    "it its it's that that's this these those they them their theirs he him his she her hers one ones "
    "there".split()
)
_EMPTY = _POINTING | frozenset(
    "a an the of in on at to for from by with as is are was were be been am do does did done can could "
    "would should will shall may might must have has had get got i you we me my your our us please just "
    "give show tell explain say if not no yes more less much many than very really too who whom when where "
    "which whose up out make let let's lets thanks thank mean means meant any some all and but or so also "
    "then what about how why ok okay hmm now same here such both either other another else again instead "
    "above "
    "previous earlier first second last former latter".split()
)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")  # a capital within a sentence
_LEAST = 1e-4  # probabilities are kept this far from 0 and 1 before logarithms

FEATURES = (
    "log_words",
    "log_content_words",
    "similarity",
    "points_back",
    "confidence",
    "points_back_though_confident",
    "subject_probability",
    "preference_for_subject",
    "is_question",
    "definite_articles",
    "new_names",
)


@dataclass(frozen=True, slots=True)
class ReadTurn:
    """Hold a human turn as it was read: text, unit embedding [384], own routing probabilities [n + 1]."""

    text: str
    vector: NDArray[np.float32]
    probabilities: NDArray[np.float64]


def follow_up_features(turn: ReadTurn, before: ReadTurn) -> NDArray[np.float64]:
    """Return the features [len(FEATURES)] of `turn`, beside the turn before it that carries the subject."""
    words = _WORD.findall(turn.text.lower())
    confidence, subject, preference = _own_routing(turn.probabilities[:-1], before.probabilities[:-1])
    points_back = _points_back(words)
    return np.array(
        [
            np.log1p(len(words)),
            np.log1p(sum(word not in _EMPTY for word in words)),
            float(turn.vector @ before.vector),
            points_back,
            np.log((confidence + _LEAST) / (1 - confidence + _LEAST)),
            points_back * confidence,
            subject,
            preference * confidence,
            float(turn.text.rstrip().endswith("?")),
            min(2, words.count("the")),
            min(2, sum(name not in before.text for name in _NAME.findall(turn.text))),
        ]
    )


def _own_routing(own: NDArray[np.float64], before: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the turn's best probability, that of the subject's node, and ln of it over the best other."""
    node = int(before.argmax())
    others = own.copy()
    others[node] = 0
    best_other = float(others.max())
    subject = float(own[node])
    return max(subject, best_other), subject, float(np.log((subject + _LEAST) / (best_other + _LEAST)))


def _points_back(words: Sequence[str]) -> float:
    """Return 1 for a pronoun before any content word, less after some: it may mean what the turn names."""
    content = 0
    for word in words:
        if word in _POINTING:
            return 1 / (1 + content)
        content += word not in _EMPTY
    return 0.0


@dataclass(frozen=True)
class FollowUpModel:
    """Estimate follow-ups by logistic regression over `FEATURES`."""

    weights: NDArray[np.float64]
    bias: float

    def probability(self, turn: ReadTurn, before: ReadTurn) -> float:
        """Return the probability that `turn` follows up on `before`."""
        return float(1 / (1 + np.exp(-(self.weights @ follow_up_features(turn, before) + self.bias))))


@lru_cache(maxsize=1)
def load_follow_up_model(path: Path = MODEL) -> FollowUpModel:
    """Load the shipped model.

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
    """Hold a conversation as it is routed.

    Attributes:
        probabilities: [n + 1] for the last turn, in context.
        follow_up: probability that the last turn follows up on the one before; 0 for a first turn.
        refers_to: the earlier turn that carries the subject, or "" where the last turn stands by itself.
    """

    probabilities: NDArray[np.float64]
    follow_up: float
    refers_to: str


def read_conversation(turns: Sequence[ReadTurn], model: FollowUpModel) -> Reading:
    """Follow the subject through `turns`: a follow-up is routed as the turn that it refers to.

    The two routings are not mixed: a mixture of two certain answers would be an uncertain one.
    """
    subject, follow_up = turns[0], 0.0
    for turn in turns[1:]:
        follow_up = model.probability(turn, subject)
        if follow_up <= 0.5:
            subject = turn
    refers_to = subject.text if subject is not turns[-1] else ""
    return Reading(subject.probabilities, follow_up, refers_to)
