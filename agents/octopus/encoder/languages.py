"""Route other languages beside English: by a second encoder, where the first does not read or is not sure.

English costs what it costs: the second encoder is opened when a text first needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.octopus.conversation.language import ENGLISH, language_of
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.heads import Head, Trained, blended
from agents.octopus.encoder.lexical import Lexical
from agents.octopus.encoder.zero_shot import Candidate

SURE = 0.6
"""Probability from which a trained head is not helped: chosen so that one English question in five is."""

SPOKEN_LEXICAL = 0.014
"""What a unit of BM25 counts in a conversation: chosen on follow-ups and changes of four open sets. An
exchange holds the words of both sides, and a short turn little else than the word that tells."""

_DOCSTRINGS = 0.4  # how much they count beside what was trained, in a conversation
_LEAST = 1e-4  # so that no factor of a product is zero


@dataclass(frozen=True)
class Second:
    """Hold a head on another encoder, that encoder's upper layers for the graph, and its words."""

    head: Head
    encoder: Encoder
    top: Path | None = None
    lexical: Lexical | None = None

    def probabilities(self, text: str) -> NDArray[np.float64]:
        """Return [n + 1] probabilities of the n neighbours and, last, that none of them fits."""
        return self.head.probabilities(text, self.encoder.embed([text], top=self.top)[0])

    def worded(self, text: str) -> NDArray[np.float64]:
        """Return the probabilities where this head alone decides: corrected by the text's words."""
        found = self.probabilities(text)
        return self.lexical.beside(found, text) if self.lexical else found


@dataclass(frozen=True)
class WithLanguages:
    """Score as the first head does, and by a second one what that does not read.

    Attributes:
        first: for English.
        open_second: opens what reads all languages.
    """

    first: Head
    open_second: Callable[[], Second]

    @property
    def calibrated(self) -> bool:
        """Return whether the first head is."""
        return self.first.calibrated

    @property
    def threshold(self) -> float:
        """Return the first head's."""
        return self.first.threshold

    @property
    def abstain(self) -> float:
        """Return the first head's."""
        return self.first.abstain

    def probabilities(self, text: str, vector: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the second head's for another language, the product of both where the first is not sure.

        Two encoders err differently: their product is right more often than either.
        """
        if language_of(text) != ENGLISH:
            return self._as_first(self._second.worded(text))
        found = self.first.probabilities(text, vector)
        if found.max() >= SURE or not isinstance(self.first, Trained):
            return found
        if not isinstance(self._second.head, Trained):
            return found
        product = np.maximum(found, _LEAST) * np.maximum(self._second.probabilities(text), _LEAST)
        return np.asarray(product / product.sum())

    @cached_property
    def _second(self) -> Second:
        return self.open_second()

    def _as_first(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale the probability of "none of them", so that the first head's limit holds for the second's."""
        none = float(found[-1]) * self.first.abstain / self._second.head.abstain
        rest = max(1 - float(found[-1]), _LEAST)
        return np.append(found[:-1] * ((1 - none) / rest), none)


@dataclass(frozen=True)
class Spoken:
    """Score what is said in a conversation by docstrings too, on one encoder or on two.

    A trained head knows the style of its rows; in conversations, where people write otherwise, docstrings
    correct it. Two encoders err differently.

    Attributes:
        head: what scores a first turn; None where nothing was trained, so that docstrings decide.
        first: by docstrings, on the encoder that reads English.
        second: by docstrings, on the encoder that reads all languages, where that is installed.
    """

    head: Head | None
    first: Head
    second: Second | None = None

    def probabilities(
        self, text: str, own: NDArray[np.float32], public: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Return [n + 1] probabilities, from the vectors of the graph's encoder and of the public one."""
        found = self.first.probabilities(text, public)
        if self.second is not None:
            found = blended([found, self.second.probabilities(text)], [0.5, 0.5])
        if self.head is None:
            return found
        return blended([self.head.probabilities(text, own), found], [1 - _DOCSTRINGS, _DOCSTRINGS])


def other_language(candidates: Iterable[Candidate]) -> Callable[[str], str]:
    """Return a function that names the language of a text which only the extra `languages` reads, or "".

    A graph that is described in the text's language reads it by the words that both share.
    """
    spoken = {ENGLISH}
    for candidate in candidates:
        spoken |= {language_of(text) for text in (candidate.description, *candidate.examples)}

    def language(text: str) -> str:
        found = language_of(text)
        return "" if found in spoken else found

    return language
