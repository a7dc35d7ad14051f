"""Store the trained model of what comes next as tensors, and read it back for the graph as it is now.

A node or edge that the artifact does not know has its docstring to speak for it; one that the graph no longer
has is dropped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.errors import ArtifactError
from agents.octopus.encoder.artifact import PlannerManifest, TrainedPlanner
from agents.octopus.encoder.zero_shot import ZeroShotHead
from agents.octopus.planning.evidence import FEATURES
from agents.octopus.planning.exemplars import Exemplars, NGramIndex
from agents.octopus.planning.next_node import Ranker, TrainedNext
from agents.octopus.planning.path_graph import PathGraph

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
