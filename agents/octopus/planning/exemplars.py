"""Read training queries as exemplars: which nodes and edges the paths of similar queries had.

Kernel ridge regression of "is this node, is this edge on the path" on the requests. The kernel adds a
Gaussian on embeddings and the cosine of n-grams: the one knows what a request is about, the other how it is
put. A decision reads only the rows of the neighbours: neighbours times exemplars, however large the graph.

Source: C. Saunders, A. Gammerman and V. Vovk, Ridge regression learning algorithm in dual variables, 1998.
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

from agents.octopus.planning.path_graph import Path, Places

# Chosen by leave-one-out on UltraTool's training rows.
_SHARPNESS = 3.0  # of the Gaussian on unit vectors
_NGRAM_WEIGHT = 0.5
_NEAREST = 25  # exemplars whose paths are followed
_NEAR = 10.0  # how much more a nearer one counts

Vectors = NDArray[np.float32]

_WORD = re.compile(r"[^\W\d_]+\d+\w*|\d+|[^\W\d_]+(?:'[^\W\d_]+)?")
_DIGITS = re.compile(r"\d+")
_MAX_CHARACTERS = 8_000  # of a text that are read


@dataclass(frozen=True)
class Exemplars:
    """Hold n queries and what was learnt from them.

    Attributes:
        vectors: [n, d] unit embeddings of the queries.
        ngrams: index of their texts.
        paths: [n] their paths.
        duals: [targets, n] and
        means: [targets] of the regression; the targets are the nodes and then the edges of the graph.
    """

    vectors: Vectors
    ngrams: NGramIndex
    paths: tuple[Path, ...]
    duals: NDArray[np.float32]
    means: NDArray[np.float32]

    def kernel(self, text: str, vector: Vectors) -> NDArray[np.float32]:
        """Return [n] similarities of a query with the exemplars."""
        return kernel(self.vectors, self.ngrams, text, vector)

    def targets(self, kernel: NDArray[np.float32], rows: Places) -> NDArray[np.float32]:
        """Return [m] regression values of the targets `rows`; a negative row has no exemplars."""
        values = self.duals[rows] @ kernel + self.means[rows]
        return np.where(rows < 0, 0.0, values).astype(np.float32)


def kernel(vectors: Vectors, ngrams: NGramIndex, text: str, vector: Vectors) -> NDArray[np.float32]:
    """Return [n] similarities of one query with n queries."""
    semantic = np.exp(_SHARPNESS * (vectors @ vector - 1))
    return np.asarray(semantic + _NGRAM_WEIGHT * ngrams.cosines(text), dtype=np.float32)


def nearest(similarity: NDArray[np.float32], paths: Sequence[Path]) -> list[tuple[Path, float]]:
    """Return the paths of the most similar exemplars, with weights that sum to one."""
    some = np.argpartition(-similarity, _NEAREST)[:_NEAREST] if len(paths) > _NEAREST else range(len(paths))
    some = np.asarray(some)
    weights = np.exp(_NEAR * (similarity[some] - similarity[some].max()))
    weights /= weights.sum()
    return [(paths[k], float(weight)) for k, weight in zip(some, weights, strict=True)]


@dataclass(frozen=True)
class NGramIndex:
    """Compare texts by their words, pairs and triples of words, weighted by rarity (tf-idf).

    Unlike BM25 (encoder/bm25.py) it keeps function words and the order of words ("need to change" is not
    "change for what I need"), and folds digits, so that two texts with different numbers are alike. Postings
    of n texts: term k owns the entries from `offsets[k]` to `offsets[k + 1]`.

    Source: G. Salton and C. Buckley, Term-weighting approaches in automatic text retrieval, 1988.

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
        """Return [n] cosines of `text` with the indexed texts, in [0, 1]."""
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
        """Return the index as arrays."""
        return {name: own for name, own in vars(self).items() if name != "size"}

    @classmethod
    def from_arrays(cls, size: int, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Build an index from what `to_arrays` returned."""
        return cls(size, **{name: np.asarray(array) for name, array in arrays.items()})


def _hashes(text: str) -> list[int]:
    words = [_DIGITS.sub("#", word) for word in _WORD.findall(text[:_MAX_CHARACTERS].lower())]
    pairs = [" ".join(pair) for pair in pairwise(words)]
    triples = [" ".join(triple) for triple in zip(words, words[1:], words[2:], strict=False)]
    return [zlib.crc32(term.encode()) for term in (*words, *pairs, *triples)]
