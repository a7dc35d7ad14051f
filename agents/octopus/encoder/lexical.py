"""Score a text by its letters: hashed pieces of words, weighed by a multinomial logistic regression.

An encoder knows what a text means; its words tell what it has no direction for: the terms of a subject.
Hashing needs no vocabulary.

Source: K. Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from agents.octopus.calibration import softmax

BUCKETS = 1 << 17
_SIZES = (3, 4, 5)  # letters of a piece, where words are written apart
_ARRAYS = ("table", "step", "bias", "shares")
_LEAST = 1e-4  # so that no factor of a product is zero

_UNSPACED = r"\u1100-\u11ff\u3041-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_RUN = re.compile(rf"(?P<unspaced>[{_UNSPACED}]+)|(?P<number>\d+)|(?P<word>(?:(?![{_UNSPACED}\d_])\w)+)|\S")


def unspaced(text: str) -> bool:
    """Return whether `text` is written without spaces, at least in part: Chinese, Japanese; and Korean."""
    return re.search(f"[{_UNSPACED}]", text) is not None


def pieces(text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the buckets [n] of the pieces of `text` and their values, a vector of length one."""
    counts = Counter(zlib.crc32(piece.encode()) % BUCKETS for piece in _pieces(text.lower()))
    values = np.array([1 + math.log(count) for count in counts.values()], dtype=np.float32)
    return np.fromiter(counts, np.int64, len(counts)), values / max(float(np.linalg.norm(values)), 1.0)


def _pieces(text: str) -> Iterator[str]:
    """Yield pieces of words with their edges, one and two characters of unspaced text, numbers as one."""
    for run in _RUN.finditer(text):
        if run["number"]:
            yield "0"
        elif run["word"]:
            word = f" {run['word']} "
            for size in _SIZES:
                yield from (word[k : k + size] for k in range(max(1, len(word) - size + 1)))
        else:
            yield from run[0]
            yield from (run[0][k : k + 2] for k in range(len(run[0]) - 1))


@dataclass(frozen=True)
class Lexical:
    """Hold the weights of all pieces for n neighbours.

    Attributes:
        nodes: the neighbours.
        table: [BUCKETS, n] in steps of `step`.
        step: [n].
        bias: [n].
        shares: how much this counts beside an encoder, in text that is written with spaces, and without.
    """

    nodes: Sequence[str]
    table: NDArray[np.int8]
    step: NDArray[np.float32]
    bias: NDArray[np.float32]
    shares: NDArray[np.float32]

    @classmethod
    def from_arrays(cls, nodes: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return what `to_arrays` gave, for the same neighbours."""
        return cls(nodes, *(arrays[name] for name in _ARRAYS))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by their names."""
        return {name: getattr(self, name) for name in _ARRAYS}

    def among(self, nodes: Sequence[str]) -> Self | None:
        """Return what tells `nodes` apart, in that order; None if one of them was not trained."""
        if not set(nodes) <= set(self.nodes):
            return None
        own = [self.nodes.index(node) for node in nodes]
        return replace(self, nodes=nodes, table=self.table[:, own], step=self.step[own], bias=self.bias[own])

    def probabilities(self, text: str) -> NDArray[np.float64]:
        """Return the probabilities [n] of the neighbours."""
        buckets, values = pieces(text)
        return softmax((values @ self.table[buckets].astype(np.float32)) * self.step + self.bias)

    def beside(self, found: NDArray[np.float64], text: str) -> NDArray[np.float64]:
        """Return an encoder's [n + 1] probabilities, those of the neighbours corrected by their words."""
        share = float(self.shares[int(unspaced(text))])
        return pooled(found[None], self.probabilities(text)[None], share)[0] if share else found


def pooled(found: NDArray[np.float64], lexical: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return the geometric mean of probabilities [m, n + 1] and [m, n], the second's weight `share`.

    The last of the first, that none of the neighbours fits, stays.
    """
    some = found[:, :-1] / np.maximum(found[:, :-1].sum(axis=1, keepdims=True), _LEAST)
    mean = (1 - share) * np.log(some + _LEAST) + share * np.log(lexical + _LEAST)
    return np.concatenate([softmax(mean) * (1 - found[:, -1:]), found[:, -1:]], axis=1)
