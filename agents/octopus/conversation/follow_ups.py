"""Tell whether a turn stays with the node before it, or leaves it.

"And its second derivative?" cannot be routed by itself. After every turn there is a belief, probabilities
over the neighbours. A logistic model says how probably the next turn stays; if it does, the belief is weighed
with how the exchange since the subject came up is routed as one text; if it leaves, the turn's own routing
counts, without the node before. What routing knows of the turns decides, so that the model holds for any
graph; its weights are trained by `training/router/follow_ups.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.errors import ArtifactError
from agents.octopus.conversation.acts import act_of
from agents.octopus.conversation.human_turns import Turn
from tools.reading.normal import normalised

MODEL = Path(__file__).parent.parent / "artifacts" / "dialogue.json"

# Closed word classes of English: what points back, what joins on, and what carries no subject.
_POINTING = frozenset(
    "it its it's that that's this these those they them their theirs he him his she her hers one ones "
    "there".split()
)
_EMPTY = _POINTING | frozenset(
    "a an the of in on at to for from by with as is are was were be been am do does did done can could "
    "would should will shall may might must has have had get got i you we me my your our us please just "
    "give show tell explain say if not no yes more less much many than very really too who whom when where "
    "which whose up out make let let's lets thanks thank mean means meant any some all and but or so also "
    "then what about how why ok okay hmm now same here such both either other another else again instead "
    "above "
    "previous earlier first second last former latter".split()
)
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")  # a capital within a sentence
_WHAT_ELSE = re.compile(  # how an assistant closes a subject: "Anything else?"
    r"\b(?:else|more|further|other|another|help|assist|assistance|next)\b[^?]*\?\W*$", re.IGNORECASE
)
_ASKS = re.compile(r"\?\W*$")
_ASSENTS = frozenset(
    "yes yeah yep yup sure no nope nah correct right exactly great perfect good fine ok okay cool awesome "
    "sounds alright that's".split()
)
_ROOT = 5  # letters by which words are the same: "table", "tables"
_LEAST = 1e-3  # probabilities are kept this far from 0 and 1 before logarithms
_EXCHANGES = 4  # turns of an exchange that are routed as one text
_MOST_SAID, _MOST_REPLIED = 48, 16  # words of a turn and of a reply in it: a reply must not cost a long text

ROUTING_FEATURES = ("agreement", "rival", "confidence", "none", "evenness")
TEXT_FEATURES = (
    "log_words",
    "log_content_words",
    "points_back",
    "is_question",
    "new_names",
    "similarity",
    "nearest",
    "asked_what_else",
    "asked_back",
    "assents",
    "log_shared_words",
    "log_new_words",
    "has_reply",
)
FEATURES = (*ROUTING_FEATURES, *TEXT_FEATURES)
EXPONENTS = ("first", "before", "exchange", "alone")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heard:
    """Hold what routing makes of a text by itself: unit embedding [384], probabilities [n + 1]."""

    vector: NDArray[np.float32]
    probabilities: Floats


Hear = Callable[[str], Heard]


@dataclass(frozen=True)
class FollowUpModel:
    """Estimate where a conversation goes on.

    Attributes:
        weights, bias: of the logistic regression of "stays" over `FEATURES`.
        exponents: by `EXPONENTS`, how much a first turn, the belief before, the exchange as one text, and a
            turn that leaves count as evidence; 1 takes their probabilities as they are.
    """

    weights: Floats
    bias: float
    exponents: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(EXPONENTS, 1.0))

    def begin(self, own: Floats) -> Floats:
        """Return the belief [..., n] after a first turn with routing probabilities `own` [..., n + 1]."""
        return _normalised(self.exponents["first"] * _log(own))

    def go_on(
        self, before: Floats, own: Floats, exchange: Floats, said: Floats, *, known: bool = False
    ) -> tuple[Floats, Floats]:
        """Return the belief [..., n] after a turn, and the probability [...] that it stays.

        Args:
            before: [..., n] the belief before it.
            own, exchange: [..., n + 1] probabilities of the turn alone, and of the exchange as one text.
            said: [..., len(TEXT_FEATURES)].
            known: whether the node before is known, so that who stays stays with it.
        """
        stay = before if known else self.stay(before, exchange)
        before = before if known else self._remembered(before)
        features = np.concatenate([_routing_features(before, own), said], axis=-1)
        stays = 1 / (1 + np.exp(-(features @ self.weights + self.bias)))
        leave = _normalised(self.exponents["alone"] * _log(own) + np.log(1 - before + _LEAST))
        return stays[..., None] * stay + (1 - stays[..., None]) * leave, stays

    def stay(self, before: Floats, exchange: Floats) -> Floats:
        """Return the belief [..., n] after a turn that stays, with arguments as of `go_on`."""
        remembered = np.log(self._remembered(before) + 1e-12)
        return _normalised(remembered + self.exponents["exchange"] * _log(exchange))

    def _remembered(self, before: Floats) -> Floats:
        return _normalised(self.exponents["before"] * np.log(before + 1e-12))


def _log(probabilities: Floats) -> Floats:
    """Return logarithms [..., n] of the neighbours' shares of probabilities [..., n + 1]."""
    some = probabilities[..., :-1]
    return np.asarray(np.log(some / np.maximum(some.sum(axis=-1, keepdims=True), 1e-12) + _LEAST))


def _normalised(logarithms: Floats) -> Floats:
    powers = np.exp(logarithms - logarithms.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _routing_features(before: Floats, own: Floats) -> Floats:
    """Return [..., len(ROUTING_FEATURES)]: what the turn's own routing says of staying.

    Whether it agrees with the belief is measured against what a random turn would: by chance that is 1 / n.
    """
    shares = np.exp(_log(own))
    n = shares.shape[-1]
    best = np.minimum(shares.max(axis=-1), 1)
    agreement = np.log(n * (before * shares).sum(axis=-1) + 1e-2)
    rival = np.log((shares * (1 - before)).max(axis=-1) + _LEAST)
    confidence = np.log(best + _LEAST) - np.log(1 - best + _LEAST)
    evenness = -(shares * np.log(shares)).sum(axis=-1) / np.log(max(n, 2))
    return np.stack([agreement, rival, confidence, own[..., -1], evenness], axis=-1)


def text_features(turns: Sequence[Turn], hear: Hear) -> Floats:
    """Return the features [len(TEXT_FEATURES)] of the last of `turns`, two or more."""
    turn, earlier = turns[-1], turns[:-1]
    words, reply = _WORD.findall(turn.text.lower()), earlier[-1].reply
    cosines = [float(hear(turn.text).vector @ hear(one.text).vector) for one in earlier]
    said = " ".join(text for one in earlier for text in (one.text, one.reply))
    content, before = _roots(turn.text), set(_roots(said))
    shared = sum(word in before for word in content)
    what_else = bool(_WHAT_ELSE.search(reply[-120:]))
    return np.array(
        [
            np.log1p(len(words)),
            np.log1p(sum(word not in _EMPTY for word in words)),
            _points_back(words),
            float(turn.text.rstrip().endswith("?")),
            min(2, sum(name not in said for name in _NAME.findall(turn.text))),
            cosines[-1],
            max(cosines),
            float(what_else),
            float(bool(_ASKS.search(reply)) and not what_else),
            float(bool(words) and words[0] in _ASSENTS),
            np.log1p(shared),
            np.log1p(len(content) - shared),
            float(bool(reply)),
        ]
    )


def _roots(text: str) -> list[str]:
    """Return how the content words of a text begin."""
    words = _WORD.findall(text.lower())
    return [word[:_ROOT] for word in words if len(word) > 1 and word not in _EMPTY]


def _points_back(words: Sequence[str]) -> float:
    """Return 1 for a pronoun before any content word, less after some: it may mean what the turn names."""
    content = 0
    for word in words:
        if word in _POINTING:
            return 1 / (1 + content)
        content += word not in _EMPTY
    return 0.0


def speaks_only(text: str) -> bool:
    """Return whether a turn has no subject of its own."""
    return act_of(normalised(text)) == "conversational"


def as_one_text(turns: Sequence[Turn]) -> str:
    """Return the last exchanges as one text, each turn and reply cut to its first words."""
    *earlier, last = turns[-_EXCHANGES:]
    parts = [part for turn in earlier for part in (_cut(turn.text), _cut(turn.reply, _MOST_REPLIED)) if part]
    return "\n".join([*parts, _cut(last.text)])


def _cut(text: str, most: int = _MOST_SAID) -> str:
    return " ".join(text[: 8 * most].split()[:most])  # of scripts without spaces, as many characters


@lru_cache(maxsize=1)
def load_follow_up_model(path: Path = MODEL) -> FollowUpModel:
    """Load the shipped model.

    Raises:
        ArtifactError: it is missing or of other features.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        weights = np.array([stored["weights"][name] for name in FEATURES])
        exponents = {name: float(stored["exponents"][name]) for name in EXPONENTS}
        return FollowUpModel(weights, float(stored["bias"]), exponents)
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactError(f"{path}: cannot be used ({error}).", hint="Reinstall the project.") from error
