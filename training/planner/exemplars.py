"""Fit the exemplars' kernel ridge regression, with what it says of each row when that row is left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.octopus.planning.exemplars import Exemplars, kernel
from agents.octopus.planning.ngrams import NGramIndex
from agents.octopus.planning.path_graph import Path, PathGraph

_PENALTY = 0.3


def fit_exemplars(
    texts: Sequence[str], vectors: NDArray[np.float32], paths: Sequence[Path], graph: PathGraph
) -> tuple[Exemplars, NDArray[np.float32], NDArray[np.float32]]:
    """The exemplars; [n, targets] left-one-out values; [n, n] the kernel.

    The values with row i left out follow from the fit on all rows: y_i − (A⁻¹(y − ȳ))_i / (A⁻¹)_ii with
    A = K + λI (G. Wahba, Spline models for observational data, 1990; ȳ is kept as it is).
    """
    ngrams = NGramIndex.build(texts)
    gram = np.stack(
        [kernel(vectors, ngrams, text, own) for text, own in zip(texts, vectors, strict=True)]
    ).astype(np.float64)
    gram = (gram + gram.T) / 2
    targets = path_targets(paths, graph)
    means = targets.mean(axis=0)
    inverse = np.linalg.inv(gram + _PENALTY * np.eye(len(gram)))
    duals = inverse @ (targets - means)
    left_out = targets - duals / np.diag(inverse)[:, None]
    exemplars = Exemplars(
        vectors=vectors,
        ngrams=ngrams,
        paths=tuple(paths),
        duals=np.ascontiguousarray(duals.T, dtype=np.float32),
        means=means.astype(np.float32),
    )
    return exemplars, left_out.astype(np.float32), gram.astype(np.float32)


def path_targets(paths: Sequence[Path], graph: PathGraph) -> NDArray[np.float64]:
    """[n, nodes + edges]: 1 where the path has the node, or the edge, that to the end among them."""
    found = np.zeros((len(paths), graph.end + len(graph.edges)))
    for row, path in enumerate(paths):
        found[row, list(path)] = 1
        steps = zip((graph.entry, *path), (*path, graph.end), strict=True)
        found[row, [graph.end + graph.edges[step] for step in steps]] = 1
    return found


def edge_priors(paths: Sequence[Path], graph: PathGraph) -> NDArray[np.float32]:
    """[edges]: ln P(edge | the node it leaves), smoothed, at the places of `graph.edges`."""
    counts = path_targets(paths, graph)[:, graph.end :].sum(axis=0) + 0.3
    sources = np.array([source for source, _ in graph.edges], dtype=np.int64)
    totals = np.bincount(sources, counts, minlength=graph.end)
    return np.asarray(np.log(counts / totals[sources]), dtype=np.float32)
