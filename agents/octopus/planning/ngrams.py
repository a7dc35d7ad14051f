"""Cosine between requests by their words, pairs and triples of words, weighted by rarity (tf-idf).

Unlike `lexical.py` it keeps function words and the order of words ("need to change" is not "change for what
I need"), and folds digits, so that two requests with different numbers are alike.

Source: G. Salton and C. Buckley, Term-weighting approaches in automatic text retrieval, 1988.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"[^\W\d_]+\d+\w*|\d+|[^\W\d_]+(?:'[^\W\d_]+)?")
_DIGITS = re.compile(r"\d+")
_MAX_CHARACTERS = 8_000  # of a text that are read


@dataclass(frozen=True)
class NGramIndex:
    """Postings of n texts: term k owns the entries from `offsets[k]` to `offsets[k + 1]`.

    Attributes:
        size: n.
        terms: [terms] sorted hashes.
        rarity: [terms] inverse document frequencies.
        offsets: [terms + 1].
        documents: [entries] text indices.
        weights: [entries], so that each text has length one.
    """

    size: int
    terms: NDArray[np.int64]
    rarity: NDArray[np.float32]
    offsets: NDArray[np.int64]
    documents: NDArray[np.int32]
    weights: NDArray[np.float32]

    @classmethod
    def build(cls, texts: Sequence[str], *, least: int = 2) -> Self:
        """Index `texts` by the terms that occur in at least `least` of them."""
        counts = [Counter(_hashes(text)) for text in texts]
        frequency = Counter(term for count in counts for term in count)
        terms = sorted(term for term, texts_with in frequency.items() if texts_with >= least)
        rarity = np.array([np.log((1 + len(texts)) / (1 + frequency[term])) + 1 for term in terms])
        place = {term: k for k, term in enumerate(terms)}
        entries = []
        for document, count in enumerate(counts):
            known = {place[term]: n for term, n in count.items() if term in place}
            values = {k: (1 + np.log(n)) * rarity[k] for k, n in known.items()}
            length = max(float(np.sqrt(sum(value**2 for value in values.values()))), 1e-9)
            entries += [(k, document, value / length) for k, value in values.items()]
        entries.sort()
        ks = np.array([k for k, _, _ in entries], dtype=np.int64)
        return cls(
            size=len(texts),
            terms=np.array(terms, dtype=np.int64),
            rarity=rarity.astype(np.float32),
            offsets=np.searchsorted(ks, np.arange(len(terms) + 1)).astype(np.int64),
            documents=np.array([document for _, document, _ in entries], dtype=np.int32),
            weights=np.array([weight for _, _, weight in entries], dtype=np.float32),
        )

    def cosines(self, text: str) -> NDArray[np.float32]:
        """[n] cosines of `text` with the indexed texts, in [0, 1]."""
        count = Counter(_hashes(text))
        hashes = np.array(sorted(count), dtype=np.int64)
        found = np.searchsorted(self.terms, hashes)
        known = found < len(self.terms)
        known[known] = self.terms[found[known]] == hashes[known]
        rows = found[known]
        if not len(rows):
            return np.zeros(self.size, dtype=np.float32)
        values = np.array([1 + np.log(count[int(term)]) for term in hashes[known]]) * self.rarity[rows]
        values /= np.linalg.norm(values)
        lengths = self.offsets[rows + 1] - self.offsets[rows]
        entries = np.concatenate([np.arange(self.offsets[k], self.offsets[k + 1]) for k in rows])
        products = self.weights[entries] * np.repeat(values, lengths)
        return np.bincount(self.documents[entries], products, minlength=self.size).astype(np.float32)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """The index as arrays."""
        return {
            "terms": self.terms,
            "rarity": self.rarity,
            "offsets": self.offsets,
            "documents": self.documents,
            "weights": self.weights,
        }

    @classmethod
    def from_arrays(cls, size: int, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """The inverse of `to_arrays`."""
        return cls(size, **{name: np.asarray(array) for name, array in arrays.items()})


def _hashes(text: str) -> list[int]:
    words = [_DIGITS.sub("#", word) for word in _WORD.findall(text[:_MAX_CHARACTERS].lower())]
    pairs = [" ".join(pair) for pair in pairwise(words)]
    triples = [" ".join(triple) for triple in zip(words, words[1:], words[2:], strict=False)]
    return [zlib.crc32(term.encode()) for term in (*words, *pairs, *triples)]
