"""Model what comes next on a path: from gold paths, or without training; store what was trained.

Trained, exemplars, phrases and docstrings are weighed by the ranker. Without training, the phrases of the
query are compared with docstrings: each phrase is shared out, by softmax, among the neighbours and the nodes
visited; what goes to the latter is covered. The phrases are read in order, and the first one that is open
decides; if none is, the path ends.

What is stored is read back for the graph as it is now: a node or edge that the artifact does not know has its
docstring to speak for it, one that the graph no longer has is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.errors import ArtifactError
from agents.octopus.encoder.artifact import PlannerManifest, TrainedPlanner
from agents.octopus.encoder.zero_shot import ZeroShotHead
from agents.octopus.planning.evidence import FEATURES, Evidence, Values, features
from agents.octopus.planning.exemplars import Exemplars, NGramIndex, nearest
from agents.octopus.planning.path_graph import Path, PathGraph, Places
from agents.octopus.planning.planner import PhrasedQuery

# Chosen on UltraTool's training rows.
_TEMPERATURE = 0.03
_HEED = 0.9  # the probability that an open phrase asks for a step at all
_LEAST = 1e-3  # of every neighbour, one visited before among them


@dataclass(frozen=True)
class TrainedNext:
    """Hold what was learnt from gold paths, for the nodes of `graph`.

    Attributes:
        exemplars: targets are the graph's nodes, then its edges.
        phrase_weights: [nodes, d + 1] linear scores of a phrase's embedding, the constant last.
        priors: [edges] ln of how often an edge follows.
        docstrings: scores phrases by what the nodes say of themselves.
    """

    graph: PathGraph
    exemplars: Exemplars
    phrase_weights: NDArray[np.float32]
    priors: Values
    docstrings: ZeroShotHead
    ranker: Ranker
    calibrated: bool = True

    def evidence(self, query: PhrasedQuery) -> Evidence:
        """Collect what speaks for each node, computed when a decision asks for it."""
        similarity = self.exemplars.kernel(query.text, query.vector)
        return Evidence(
            phrases=phrase_fits(self.phrase_weights, query),
            described=described(self.docstrings, query),
            targets=lambda rows: self.exemplars.targets(similarity, rows),
            nearest=nearest(similarity, self.exemplars.paths),
            priors=self.priors,
        )

    def log_probabilities(
        self, evidence: Evidence, visited: Path, at: int, candidates: Places
    ) -> NDArray[np.float64]:
        """Return ln P of each candidate."""
        return self.ranker.log_probabilities(features(evidence, self.graph, visited, at, candidates))


@dataclass(frozen=True)
class ZeroShotNext:
    """Plan on any graph at once."""

    graph: PathGraph
    docstrings: ZeroShotHead
    calibrated: bool = False

    def evidence(self, query: PhrasedQuery) -> ByNode:
        """Return how well each phrase fits each node, computed when a decision asks for it."""
        return described(self.docstrings, query)

    def log_probabilities(
        self, evidence: ByNode, visited: Path, at: int, candidates: Places
    ) -> NDArray[np.float64]:
        """Return ln P of each candidate."""
        ahead = candidates[candidates != self.graph.end]
        nodes = np.union1d(ahead, np.array(visited, dtype=np.int64))
        fits = evidence(nodes).astype(np.float64) / _TEMPERATURE
        powers = np.exp(fits - fits.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        opened = _HEED * np.where(np.isin(nodes, visited), 0.0, shares)
        closed_before = np.cumprod(np.append(1.0, 1 - opened.sum(axis=1)))
        asked = closed_before[:-1] @ opened
        weights = asked[np.searchsorted(nodes, ahead)] + _LEAST
        if len(ahead) < len(candidates):
            weights = np.append(weights, closed_before[-1])
        return np.asarray(np.log(weights / weights.sum()), dtype=np.float64)


class ByNode:
    """Compute `fit` [rows, m] for nodes [m] of n, once for each node that is asked about."""

    def __init__(self, fit: Callable[[Places], Values], rows: int, nodes: int) -> None:
        self._fit = fit
        self._values = np.empty((rows, nodes), dtype=np.float32)
        self._known = np.zeros(nodes, dtype=np.bool_)

    def __call__(self, nodes: Places) -> Values:
        """Return [rows, m]."""
        missing = nodes[~self._known[nodes]]
        if len(missing):
            self._values[:, missing] = self._fit(missing)
            self._known[missing] = True
        return np.asarray(self._values[:, nodes], dtype=np.float32)


def phrase_fits(weights: NDArray[np.float32], query: PhrasedQuery) -> ByNode:
    """Return [phrases, m] how well each phrase fits each node, at least 0, by `weights` [nodes, d + 1]."""

    def fit(nodes: Places) -> Values:
        own = weights[nodes]
        scores = query.phrase_vectors @ own[:, :-1].T + own[:, -1]
        return np.asarray(np.maximum(scores, 0), dtype=np.float32)

    return ByNode(fit, len(query.phrases), len(weights))


def described(docstrings: ZeroShotHead, query: PhrasedQuery) -> ByNode:
    """Return [phrases, m] how well each phrase fits what each node says of itself, about 0 for not at all."""
    fit = docstrings.reader(query.phrases, query.phrase_vectors)
    return ByNode(fit, len(query.phrases), len(docstrings.vectors))


@dataclass(frozen=True)
class Ranker:
    """Turn features of each candidate into P(next), a softmax over the candidates that are there.

    Networks with one hidden layer score one candidate at a time; their logits are averaged.

    Attributes:
        mean, scale: [features] for standardising.
        hidden: [networks, features, units], with
        hidden_bias: [networks, units].
        output: [networks, units].
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    hidden: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    output: NDArray[np.float32]

    def log_probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return [m] for m candidates with features [m, features]."""
        inputs = (features - self.mean) / self.scale
        units = np.maximum(inputs @ self.hidden + self.hidden_bias[:, None], 0)  # [networks, m, units]
        return log_softmax((units @ self.output[..., None])[..., 0].mean(axis=0))


def log_softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return ln softmax of `logits` [m]."""
    shifted = np.asarray(logits, dtype=np.float64) - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), dtype=np.float64)


_GONE = -2  # the place of a node that the graph no longer has
_RANKER = ("mean", "scale", "hidden", "hidden_bias", "output")


def to_planner(model: TrainedNext, metrics: dict[str, float]) -> TrainedPlanner:
    """Return what an artifact keeps of `model`; large tensors in half precision."""
    exemplars, graph = model.exemplars, model.graph
    tensors: dict[str, NDArray[np.generic]] = {
        "vectors": exemplars.vectors.astype(np.float16),
        "duals": exemplars.duals.astype(np.float16),
        "means": exemplars.means,
        "paths": np.array([node for path in exemplars.paths for node in path], dtype=np.int64),
        "lengths": np.array([len(path) for path in exemplars.paths], dtype=np.int64),
        "edges": np.array(list(graph.edges), dtype=np.int64),
        "priors": model.priors,
        "phrase_weights": model.phrase_weights,
    }
    tensors |= {f"ngrams/{name}": array for name, array in exemplars.ngrams.to_arrays().items()}
    tensors |= {f"ranker/{name}": getattr(model.ranker, name) for name in _RANKER}
    manifest = PlannerManifest(
        nodes=list(graph.nodes), entry=graph.nodes[graph.entry], features=list(FEATURES), metrics=metrics
    )
    # safetensors writes the memory as it lies, transposed arrays too.
    return TrainedPlanner({name: np.ascontiguousarray(own) for name, own in tensors.items()}, manifest)


def from_planner(part: TrainedPlanner, graph: PathGraph, docstrings: ZeroShotHead) -> TrainedNext:
    """Return the model for `graph`.

    Raises:
        ArtifactError: the artifact has other features, or knows none of the graph's nodes.
    """
    if part.manifest.features != list(FEATURES):
        raise ArtifactError("the artifact's planner is of another version.", hint="Train it again.")
    known = [graph.place.get(name, _GONE) for name in part.manifest.nodes]
    if all(place == _GONE for place in known):
        raise ArtifactError(
            "the artifact's planner was trained for other nodes.", hint="Train it again for this graph."
        )
    tensors = part.tensors
    rows = _rows(tensors["edges"], [*known, graph.end], graph)
    old = np.array([k for k, _ in rows], dtype=np.int64)
    new = np.array([row for _, row in rows], dtype=np.int64)
    count = len(known)
    size = len(tensors["vectors"])
    duals = np.zeros((graph.end + len(graph.edges), size), dtype=np.float32)
    duals[new] = tensors["duals"][old]
    means = np.zeros(len(duals), dtype=np.float32)
    means[new] = tensors["means"][old]
    priors = np.array([-np.log(1 + len(graph.neighbours[k])) for k, _ in graph.edges], dtype=np.float32)
    edges = old >= count
    priors[new[edges] - graph.end] = tensors["priors"][old[edges] - count]
    weights = np.zeros((graph.end, tensors["phrase_weights"].shape[1]), dtype=np.float32)
    weights[new[~edges]] = tensors["phrase_weights"][old[~edges]]
    ngrams = {name.removeprefix("ngrams/"): tensors[name] for name in tensors if name.startswith("ngrams/")}
    exemplars = Exemplars(
        vectors=tensors["vectors"].astype(np.float32),
        ngrams=NGramIndex.from_arrays(size, ngrams),
        paths=_paths(tensors["paths"], tensors["lengths"], known),
        duals=duals,
        means=means,
    )
    ranker = Ranker(**{name: tensors[f"ranker/{name}"] for name in _RANKER})
    return TrainedNext(graph, exemplars, weights, priors, docstrings, ranker)


def _rows(edges: NDArray[np.generic], known: list[int], graph: PathGraph) -> list[tuple[int, int]]:
    """Pair targets in the artifact with targets in the graph: nodes and edges that both have."""
    count = len(known) - 1
    nodes = [(k, place) for k, place in enumerate(known[:-1]) if place != _GONE]
    pairs = [(known[int(source)], known[int(target)]) for source, target in edges]
    return nodes + [
        (count + k, graph.end + graph.edges[pair]) for k, pair in enumerate(pairs) if pair in graph.edges
    ]


def _paths(
    flat: NDArray[np.generic], lengths: NDArray[np.generic], known: list[int]
) -> tuple[tuple[int, ...], ...]:
    ends = np.cumsum(lengths)
    places = [known[int(k)] for k in flat]
    return tuple(tuple(places[end - length : end]) for length, end in zip(lengths, ends, strict=True))
