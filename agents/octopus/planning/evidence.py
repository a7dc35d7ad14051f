"""Collect what speaks for each candidate of a decision: the features that the ranker weighs.

For one query and one candidate k after a path that stands at c:
- phrases: how well k fits its best phrase, and its best phrase that no visited node covers yet; by what was
  learnt from paths, and by docstrings alone;
- exemplars: whether similar queries had k, and the edge c → k, on their paths, and how often;
- order: where in the query k stands beside c, and whether k was visited before.
The end has the opposite evidence: what is still uncovered, how long paths of such queries are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from agents.octopus.planning.path_graph import Path, PathGraph, Places

Values = NDArray[np.float32]

FEATURES = (
    "phrase",
    "open_phrase",
    "described",
    "open_described",
    "node",
    "edge",
    "edge_prior",
    "next_of_nearest",
    "next_of_nearest_on_this_path",
    "most_of_nearest",
    "ahead_in_request",
    "visited",
    "first",
    "current_node",
    "log_candidates",
    "end",
    "end_phrase_open",
    "end_phrases_open",
    "end_node_open",
    "end_nodes_open",
    "end_log_phrases",
    "end_after_one",
    "end_after_three",
    "end_current_node",
    "steps",
)
_FLOOR = 0.02  # added before logarithms


@dataclass(frozen=True)
class Evidence:
    """Hold what one query says, computed for those nodes only that are asked about.

    Attributes:
        phrases: nodes [m] → [phrases, m] how well each phrase fits each node, by training.
        described: the same by docstrings.
        targets: rows [m] → [m], "is it on the path" by similar queries; nodes first, then edges.
        nearest: paths of the most similar queries with their weights.
        priors: [edges] ln of how often an edge follows.
    """

    phrases: Callable[[Places], Values]
    described: Callable[[Places], Values]
    targets: Callable[[Places], Values]
    nearest: Sequence[tuple[Path, float]]
    priors: Values


def features(
    evidence: Evidence, graph: PathGraph, visited: Path, at: int, candidates: Places
) -> NDArray[np.float32]:
    """Return the features [candidates, FEATURES] of what may come after `visited`, decided at node `at`."""
    current = visited[-1] if visited else at
    ahead = candidates[candidates != graph.end]
    found = np.zeros((len(candidates), len(FEATURES)), dtype=np.float32)
    column = {name: found[:, k] for k, name in enumerate(FEATURES)}
    before = np.array(sorted(set(visited)), dtype=np.int64)
    m = len(ahead)

    by_phrase = _by_phrase(evidence.phrases, ahead, before)
    by_docs = _by_phrase(evidence.described, ahead, before)
    nodes = np.maximum(evidence.targets(ahead), 0)
    column["phrase"][:m], column["open_phrase"][:m] = _log(by_phrase.best), _log(by_phrase.best_open)
    column["described"][:m], column["open_described"][:m] = _log(by_docs.best), _log(by_docs.best_open)
    column["node"][:m] = _log(nodes)
    seen = np.isin(ahead, before)
    column["visited"][:m] = seen
    column["ahead_in_request"][:m] = by_phrase.position - (
        float(_by_phrase(evidence.phrases, before[before == current], before).position[0]) if visited else 0.0
    )

    edges = np.array([graph.edges.get((current, int(k)), -1) for k in candidates], dtype=np.int64)
    column["edge"][:] = _log(evidence.targets(np.where(edges < 0, -1, edges + graph.end)))
    column["edge_prior"][:] = np.where(edges < 0, -np.log(len(candidates)), evidence.priors[edges])
    followed, on_path = _followers(evidence.nearest, visited, current, graph.end)
    column["next_of_nearest"][:], column["most_of_nearest"][:] = _shares(followed, candidates)
    column["next_of_nearest_on_this_path"][:], _ = _shares(on_path, candidates)

    now = float(_log(evidence.targets(before[before == current]))[0]) if visited else 0.0
    column["first"][:] = not visited
    column["current_node"][:] = now
    column["log_candidates"][:] = np.log(len(candidates))
    column["steps"][:m] = len(visited)
    if m < len(candidates):
        _end_features(column, by_phrase, nodes * ~seen, len(visited), now)
    return found


@dataclass(frozen=True)
class _Phrased:
    """Hold of m nodes best [m], best_open [m] (not covered yet), position [m] in 0..1; open [phrases]."""

    best: Values
    best_open: Values
    position: Values
    open: Values


def _by_phrase(fit: Callable[[Places], Values], nodes: Places, before: Places) -> _Phrased:
    fits = fit(nodes)
    count = len(fits)
    covered = np.minimum(fit(before).max(axis=1), 1) if len(before) else np.zeros(count, dtype=np.float32)
    order = np.arange(count, dtype=np.float32)[:, None] / max(count - 1, 1)
    opened = fits * (1 - covered)[:, None]
    none = np.zeros(count, dtype=np.float32)
    return _Phrased(
        best=fits.max(axis=0),
        best_open=opened.max(axis=0),
        position=(fits * order).sum(axis=0) / (fits.sum(axis=0) + 1e-3),
        open=opened.max(axis=1) if len(nodes) else none,
    )


def _followers(
    nearest: Sequence[tuple[Path, float]], visited: Path, current: int, end: int
) -> tuple[dict[int, float], dict[int, float]]:
    """Return by node the weight of nearest paths where it follows `current`, and where `visited`."""
    followed: dict[int, float] = {}
    on_path: dict[int, float] = {}
    for path, weight in nearest:
        ahead = (*path, end)
        if not visited:
            followed[ahead[0]] = followed.get(ahead[0], 0.0) + weight
            continue
        for place, node in enumerate(path):
            if node == current:
                follower = ahead[place + 1]
                followed[follower] = followed.get(follower, 0.0) + weight
                if path[: place + 1] == visited:
                    on_path[follower] = on_path.get(follower, 0.0) + weight
    return followed, on_path


def _shares(weights: dict[int, float], candidates: Places) -> tuple[Values, float]:
    """Return ln of each candidate's smoothed share of `weights`, and of the greatest weight."""
    own = np.array([weights.get(int(k), 0.0) for k in candidates], dtype=np.float32)
    shares = np.log((own + _FLOOR) / (own.sum() + _FLOOR * len(own)))
    return cast(Values, shares), float(np.log(own.max() + _FLOOR))


def _end_features(
    column: dict[str, NDArray[np.float32]], phrased: _Phrased, open_nodes: Values, steps: int, now: float
) -> None:
    column["end"][-1] = 1
    column["end_phrase_open"][-1] = _log(phrased.open.max(keepdims=True))[0]
    column["end_phrases_open"][-1] = _log(phrased.open.sum(keepdims=True))[0]
    column["end_node_open"][-1] = _log(open_nodes.max(initial=0, keepdims=True))[0]
    column["end_nodes_open"][-1] = _log(open_nodes.sum(keepdims=True))[0]
    column["end_log_phrases"][-1] = np.log(len(phrased.open))
    column["end_after_one"][-1] = steps == 1
    column["end_after_three"][-1] = steps >= 3
    column["end_current_node"][-1] = now


def _log(values: Values) -> Values:
    return cast(Values, np.log(np.maximum(values, 0) + _FLOOR))
