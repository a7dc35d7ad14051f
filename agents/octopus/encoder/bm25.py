"""Score words in common: Okapi BM25 between a query and the neighbours' names and descriptions.

A sentence embedding blurs rare words; BM25 sees nothing else. Names are split where identifiers are
(`Music_2_PlayTrack`, `k8s.get_logs`), words are stemmed lightly, and only the postings of the query's own
terms are touched, so that a large catalogue costs little.

Source: S. Robertson and H. Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

_SATURATION = 1.2  # k1 of BM25
_LENGTH_WEIGHT = 0.75  # b of BM25
_MAX_CHARACTERS = 8_000  # of a text that are read: words beyond it say little about which neighbour fits

_WORD = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SUFFIXES = (
    ("ies", "y"), ("sses", "ss"), ("ations", "at"), ("ation", "at"), ("ings", ""), ("ing", ""), ("edly", ""),
    ("ers", "er"), ("ments", ""), ("ment", ""), ("ed", ""), ("es", "e"), ("s", ""),
)  # fmt: skip
_FUNCTION_WORDS = """
    a an the of for in on at to from with by and or is are was be been it its this that these those i me
    my we us our you your he she they them his her what which who whom how when where why do does did
    can could would should will shall may might please plz have has had get got give show tell let as if
    then than so not no any some there here about into up out over just like need want am im ve ll re
    don also
"""
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
_KIND_WORDS = frozenset(
    ["agent", "ai", "api", "app", "bot", "function", "gpt", "plugin", "service", "tool", "tools"]
)


def split_identifier(name: str) -> str:
    """Return the words of a name in lower case, but for those that say only what kind of thing it is.

    `Music_2_PlayTrack` → `music play track`, `weather_tool` → `weather`.
    """
    words = [word for word in re.split(r"[\W_\d]+", _CAMEL.sub(" ", name).lower()) if word]
    telling = [word for word in words if word not in _KIND_WORDS]
    return " ".join(telling or words) or name


def terms(text: str) -> list[str]:
    """Return the stemmed words of `text` (its first 8,000 characters), no stop words or single letters."""
    words = _WORD.findall(_CAMEL.sub(" ", text[:_MAX_CHARACTERS]).replace("_", " ").lower())
    return [_stem(word) for word in words if len(word) > 1 and word not in _STOP_WORDS]


def _stem(word: str) -> str:
    if len(word) <= 3:
        return word
    for suffix, replacement in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3 and not word.endswith("ss"):
            word = word[: -len(suffix)] + replacement
            break
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    return word


def document_frequencies(texts: Sequence[str]) -> Counter[str]:
    """Count in how many of `texts` each term occurs."""
    return Counter(term for text in texts for term in set(terms(text)))


@dataclass(frozen=True)
class LexicalIndex:
    """Hold the postings of n documents: term k owns the entries from `offsets[k]` to `offsets[k + 1]`.

    Attributes:
        size: n.
        vocabulary: [terms] sorted.
        offsets: [terms + 1].
        documents: [entries] document indices.
        weights: [entries] what the term adds to the BM25 score of the document.
    """

    size: int
    vocabulary: NDArray[np.str_]
    offsets: NDArray[np.int64]
    documents: NDArray[np.int64]
    weights: NDArray[np.float32]

    @classmethod
    def build(
        cls, texts: Sequence[str], background: Mapping[str, int] | None = None, background_size: int = 0
    ) -> Self:
        """Index `texts`.

        Args:
            texts: one per document.
            background: document frequencies in a general collection, which keep the weights of terms
                sensible when there are few documents.
            background_size: the number of documents of that collection.
        """
        counts = [Counter(terms(text)) for text in texts]
        mean = max(sum(count.total() for count in counts) / max(len(texts), 1), 1.0)
        norms = [1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * count.total() / mean for count in counts]
        postings: dict[str, list[tuple[int, int]]] = {}
        for document, count in enumerate(counts):
            for term, occurrences in count.items():
                postings.setdefault(term, []).append((document, occurrences))
        total = len(texts) + background_size
        vocabulary = sorted(postings)
        offsets, documents, weights = [0], [], []
        for term in vocabulary:
            entries = postings[term]
            frequency = len(entries) + (background or {}).get(term, 0)
            idf = math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
            documents += [document for document, _ in entries]
            weights += [
                idf * count * (_SATURATION + 1) / (count + _SATURATION * norms[document])
                for document, count in entries
            ]
            offsets.append(len(documents))
        return cls(
            size=len(texts),
            vocabulary=np.array(vocabulary, dtype=np.str_),
            offsets=np.array(offsets, dtype=np.int64),
            documents=np.array(documents, dtype=np.int64),
            weights=np.array(weights, dtype=np.float32),
        )

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {str(term): row for row, term in enumerate(self.vocabulary)}

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return BM25 of `query` against every document: [n], 0 where no term is shared."""
        rows = [self._rows[term] for term in sorted(set(terms(query))) if term in self._rows]
        if not rows:
            return np.zeros(self.size, dtype=np.float32)
        spans = [slice(self.offsets[row], self.offsets[row + 1]) for row in rows]
        documents = np.concatenate([self.documents[span] for span in spans])
        weights = np.concatenate([self.weights[span] for span in spans])
        return np.bincount(documents, weights=weights, minlength=self.size).astype(np.float32)
