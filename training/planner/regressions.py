"""Fit the planner's regressions: kernel ridge regression on whole requests, ridge regression on phrases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.octopus.planning.exemplars import Exemplars, NGramIndex, kernel
from agents.octopus.planning.path_graph import Path, PathGraph
from training.linear import Floats, ridge

_EXEMPLAR_PENALTY, _STEP_PENALTY, _BAG_PENALTY = 0.3, 0.5, 1.0
_ROUNDS = 3


def fit_exemplars(
    texts: Sequence[str], vectors: NDArray[np.float32], paths: Sequence[Path], graph: PathGraph
) -> tuple[Exemplars, NDArray[np.float32], NDArray[np.float32]]:
    """Fit the exemplars, and say what the others say of each row when that row is left out.

    The values with row i left out follow from the fit on all rows: y_i − (A⁻¹(y − ȳ))_i / (A⁻¹)_ii with
    A = K + λI (G. Wahba, Spline models for observational data, 1990; ȳ is not fitted again).

    Returns:
        The exemplars; leave-one-out values [n, targets]; the kernel [n, n].
    """
    ngrams = NGramIndex.build(texts)
    gram = np.stack(
        [kernel(vectors, ngrams, text, own) for text, own in zip(texts, vectors, strict=True)]
    ).astype(np.float64)
    gram = (gram + gram.T) / 2
    targets = path_targets(paths, graph)
    means = targets.mean(axis=0)
    inverse = np.linalg.inv(gram + _EXEMPLAR_PENALTY * np.eye(len(gram)))
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


def path_targets(paths: Sequence[Path], graph: PathGraph) -> Floats:
    """Return [n, nodes + edges], 1 where the path has that node or edge; the edge to the end counts too."""
    found = np.zeros((len(paths), graph.end + len(graph.edges)))
    for row, path in enumerate(paths):
        found[row, list(path)] = 1
        steps = zip((graph.entry, *path), (*path, graph.end), strict=True)
        found[row, [graph.end + graph.edges[step] for step in steps]] = 1
    return found


def edge_priors(paths: Sequence[Path], graph: PathGraph) -> NDArray[np.float32]:
    """Return smoothed ln P(edge | the node it leaves), [edges], at the places of `graph.edges`."""
    counts = path_targets(paths, graph)[:, graph.end :].sum(axis=0) + 0.3
    sources = np.array([source for source, _ in graph.edges], dtype=np.int64)
    totals = np.bincount(sources, counts, minlength=graph.end)
    return np.asarray(np.log(counts / totals[sources]), dtype=np.float32)


@dataclass(frozen=True)
class PhraseTexts:
    """Hold embedded texts of many rows: single steps, or phrases of whole requests.

    Attributes:
        vectors: [texts, d].
        rows: [texts], the row of each.
        nodes: [texts], the node of each, or -1 where only the row's nodes are known.
    """

    vectors: NDArray[np.float32]
    rows: NDArray[np.int64]
    nodes: NDArray[np.int64]


def phrase_weights(texts: PhraseTexts, on_path: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Learn which node a phrase asks for; return weights [nodes, d + 1], the constant last.

    Where rows bring texts of single steps, these are learnt from. Elsewhere it is only known which nodes the
    whole request needs. Then each phrase first belongs to all of them alike, and is given round by round to
    those that fit it best (learning from bags: T. Dietterich, R. Lathrop and T. Lozano-Pérez, 1997).

    Args:
        texts: of steps, and phrases of rows that have none.
        on_path: [rows, nodes], which nodes each row's path has.
    """
    inputs = np.pad(texts.vectors.astype(np.float64), ((0, 0), (0, 1)), constant_values=1.0)
    bags = on_path[texts.rows].astype(np.float64)
    known = np.flatnonzero(texts.nodes >= 0)
    bags[known] = 0
    bags[known, texts.nodes[known]] = 1
    shares = bags / np.maximum(bags.sum(axis=1, keepdims=True), 1)
    if len(known) == len(inputs):
        return ridge(inputs, shares, _STEP_PENALTY).T.astype(np.float32)
    for _ in range(_ROUNDS):
        scores = np.maximum(inputs @ ridge(inputs, shares, _BAG_PENALTY), 1e-3) ** 2 * bags
        shares = scores / np.maximum(scores.sum(axis=1, keepdims=True), 1e-12)
    return ridge(inputs, shares, _BAG_PENALTY).T.astype(np.float32)
