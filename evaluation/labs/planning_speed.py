"""Measure what a next-node decision costs, as ratios from one run: neighbours count, nodes do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agents.octopus.encoder.background import load_maps
from agents.octopus.encoder.bm25 import LexicalIndex
from agents.octopus.encoder.zero_shot import ZeroShotHead, unit
from agents.octopus.planning.evidence import FEATURES
from agents.octopus.planning.exemplars import Exemplars, NGramIndex
from agents.octopus.planning.path_graph import PathGraph
from agents.octopus.planning.planner import PhrasedQuery, Planner
from agents.octopus.planning.trained import Ranker, TrainedNext
from agents.types import NodeName
from evaluation.labs.routing_speed import Ratio, compare, queries
from training.planner.regressions import edge_priors, path_targets

SMALL, LARGE = 17, 26_000
_DIMENSION = 384
_EXEMPLARS = 64


def decision_ratios(rounds: int = 3, large: int = LARGE) -> dict[str, Ratio]:
    """Compare decisions in a large graph with a small one, and among many neighbours with few."""
    texts = queries(40)
    few = _decision(SMALL, SMALL)
    many = large // 100
    return {
        f"17 neighbours, {large:,} nodes / 18 nodes": compare(_decision(SMALL, large), few, texts, rounds),
        f"{many} neighbours / 17, {large:,} nodes": compare(
            _decision(many, large), _decision(SMALL, large), texts, rounds
        ),
    }


def _decision(neighbours: int, nodes: int) -> Callable[[str], object]:
    """Return what decides at the entry of a made-up planner, on made-up embeddings."""
    planner = made_up_planner(neighbours, nodes)
    entry = planner.graph.nodes[planner.graph.entry]
    vectors = unit(np.random.default_rng(0).normal(size=(3, _DIMENSION)).astype(np.float32))

    def decide(text: str) -> object:
        request = PhrasedQuery(text, vectors[0], (text[:40], text[40:]), vectors[1:])
        return planner.following(request, (), entry)

    return decide


def made_up_planner(neighbours: int, nodes: int) -> Planner:
    """Return a planner with random weights on a ring of `nodes` workers; the entry sees some of them."""
    random = np.random.default_rng(0)
    names = [NodeName(f"tool_{k}") for k in range(nodes)]
    ring = {name: [names[(k + 1) % nodes]] for k, name in enumerate(names)}
    graph = PathGraph.of(
        {NodeName("octopus"): names[:neighbours], **ring}, NodeName("octopus"), [NodeName("octopus")]
    )
    texts = queries(_EXEMPLARS)
    paths = [(1 + k % neighbours,) for k in range(_EXEMPLARS)]

    def normal(*shape: int) -> np.typing.NDArray[np.float32]:
        return random.normal(size=shape).astype(np.float32)

    exemplars = Exemplars(
        unit(normal(_EXEMPLARS, _DIMENSION)),
        NGramIndex.build(texts),
        tuple(paths),
        normal(graph.end + len(graph.edges), _EXEMPLARS),
        path_targets(paths, graph).mean(axis=0).astype(np.float32),
    )
    lexical = LexicalIndex.build([f"{name}: a tool" for name in graph.nodes])
    head = ZeroShotHead(unit(normal(graph.end, _DIMENSION)), normal(_DIMENSION), lexical, load_maps())
    ranker = Ranker(
        normal(len(FEATURES)),
        np.ones(len(FEATURES), dtype=np.float32),
        normal(4, len(FEATURES), 32),
        normal(4, 32),
        normal(4, 32),
    )
    model = TrainedNext(
        graph,
        exemplars,
        normal(graph.end, _DIMENSION + 1),
        edge_priors(paths, graph),
        head,
        ranker,
    )
    return Planner(graph, model, lambda texts: normal(len(texts), _DIMENSION))
