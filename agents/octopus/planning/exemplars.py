"""Training requests as exemplars: which nodes and edges the paths of similar requests had.

Kernel ridge regression of "is this node, is this edge on the path" on the requests. The kernel adds a
Gaussian on embeddings and the cosine of n-grams: the one knows what a request is about, the other how it is
put. A decision reads only the rows of the neighbours: neighbours times exemplars, however large the graph.

Source: C. Saunders, A. Gammerman and V. Vovk, Ridge regression learning algorithm in dual variables, 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.octopus.planning.ngrams import NGramIndex
from agents.octopus.planning.path_graph import Path, Places

# Chosen by leave-one-out on UltraTool's training rows.
_SHARPNESS = 3.0  # of the Gaussian on unit vectors
_NGRAM_WEIGHT = 0.5
_NEAREST = 25  # exemplars whose paths are followed
_NEAR = 10.0  # how much more a nearer one counts

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Exemplars:
    """n requests and what was learnt from them.

    Attributes:
        vectors: [n, d] unit embeddings of the requests.
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
        """[n] similarities of a request with the exemplars."""
        return kernel(self.vectors, self.ngrams, text, vector)

    def targets(self, kernel: NDArray[np.float32], rows: Places) -> NDArray[np.float32]:
        """[m] regression values of the targets `rows`; a negative row is a target without exemplars."""
        values = self.duals[rows] @ kernel + self.means[rows]
        return np.where(rows < 0, 0.0, values).astype(np.float32)


def kernel(vectors: Vectors, ngrams: NGramIndex, text: str, vector: Vectors) -> NDArray[np.float32]:
    """[n] similarities of one request with n requests."""
    semantic = np.exp(_SHARPNESS * (vectors @ vector - 1))
    return np.asarray(semantic + _NGRAM_WEIGHT * ngrams.cosines(text), dtype=np.float32)


def nearest(similarity: NDArray[np.float32], paths: Sequence[Path]) -> list[tuple[Path, float]]:
    """The paths of the most similar exemplars with weights that sum to one."""
    some = np.argpartition(-similarity, _NEAREST)[:_NEAREST] if len(paths) > _NEAREST else range(len(paths))
    some = np.asarray(some)
    weights = np.exp(_NEAR * (similarity[some] - similarity[some].max()))
    weights /= weights.sum()
    return [(paths[k], float(weight)) for k, weight in zip(some, weights, strict=True)]
