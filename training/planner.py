"""Train the next-node Octopus on gold paths, measure it on held-out rows, and save the artifact.

    octopus train router --graph G --paths rows.jsonl.gz --out DIR

It learns three things, each in seconds: what the paths of similar requests say (exemplars), which node a
phrase asks for (phrase weights), and how to weigh such evidence (the ranker). The ranker learns from evidence
that has not seen the row in question: exemplars leave it out, phrase weights come from other folds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.errors import InputError
from agents.octopus.encoder.artifact import save_artifact
from agents.octopus.encoder.zero_shot import Embed, ZeroShotHead
from agents.octopus.planning import path_graph
from agents.octopus.planning.evidence import FEATURES, Evidence, features
from agents.octopus.planning.exemplars import nearest
from agents.octopus.planning.next_node import TrainedNext, described, phrase_fits, to_planner
from agents.octopus.planning.path_graph import PathGraph
from agents.octopus.planning.planner import PhrasedQuery, Planner, read_queries
from training.planner_models import (
    PhraseTexts,
    RankerSettings,
    RankingExample,
    edge_priors,
    fit_exemplars,
    phrase_weights,
    train_ranker,
)
from training.provenance import versions
from training.rows.paths import PathRow, link_f1, node_f1

_LEAST_ROWS = 10
_HELD_OUT = 5  # every fifth row, in random order, is measured
_MOST_CANDIDATES = 40  # of a training example: the likely ones, and always the right one
Progress = Callable[[float], None]


@dataclass(frozen=True)
class PlannerSettings:
    """Set the hyper-parameters; the defaults were chosen by cross-validation on UltraTool's training rows.

    Attributes:
        folds: in which phrase weights leave rows out.
        ranker: settings of the ranker.
        seed: for the folds.
    """

    folds: int = 10
    ranker: RankerSettings = field(default_factory=RankerSettings)
    seed: int = 0


@dataclass(frozen=True)
class EmbeddedRows:
    """Hold rows with everything embedded.

    Attributes:
        requests, paths: [n].
        steps: [n], embeddings [k, d] of each row's step texts.
        step_nodes: [n], the node of each step.
    """

    requests: list[PhrasedQuery]
    paths: list[path_graph.Path]
    steps: list[NDArray[np.float32]]
    step_nodes: list[list[int]]

    @classmethod
    def of(cls, rows: Sequence[PathRow], graph: PathGraph, embed: Embed) -> EmbeddedRows:
        """Embed `rows`."""
        place = graph.place
        vectors = embed([step.text for row in rows for step in row.steps])
        ends = np.cumsum([len(row.steps) for row in rows])
        return cls(
            read_queries([row.query.strip() for row in rows], embed),
            [tuple(place[name] for name in row.path) for row in rows],
            [vectors[end - len(row.steps) : end] for row, end in zip(rows, ends, strict=True)],
            [[place[step.node] for step in row.steps] for row in rows],
        )

    def pick(self, some: Sequence[int]) -> EmbeddedRows:
        """Return the rows at `some`."""
        return EmbeddedRows(
            [self.requests[k] for k in some],
            [self.paths[k] for k in some],
            [self.steps[k] for k in some],
            [self.step_nodes[k] for k in some],
        )


def train_path_router(
    rows: Sequence[PathRow],
    *,
    graph: PathGraph,
    docstrings: ZeroShotHead,
    embed: Embed,
    name: str,
    spec_hash: str,
    out: Path,
    settings: PlannerSettings,
    progress: Progress = lambda share: None,
) -> dict[str, float]:
    """Train on all rows and save; return the metrics of the manifest.

    The metrics are measured on a fifth of the rows, with a planner that was trained on the others.

    Args:
        rows: gold paths; the graph has all of them.
        graph: as planning reads it.
        docstrings: of the graph's nodes.
        embed: the encoder.
        name: of the graph.
        spec_hash: hash of the spec, kept in the manifest.
        out: the artifact's folder.
        settings: hyper-parameters.
        progress: called with the share of the work just done.

    Raises:
        InputError: too few rows.
    """
    if len(rows) < _LEAST_ROWS:
        raise InputError(f"{len(rows)} paths are too few to train on; {_LEAST_ROWS} are needed.")
    embedded = EmbeddedRows.of(rows, graph, embed)
    progress(0.2)
    metrics = _held_out_metrics(embedded, graph, docstrings, embed, settings, progress)
    model = train_next(embedded, graph, docstrings, settings, lambda share: progress(0.4 * share))
    save_artifact(
        out,
        graph=name,
        spec_hash=spec_hash,
        masters={},
        training={"paths": len(rows), "steps": sum(len(row.steps) for row in rows)} | asdict(settings),
        versions=versions("numpy", "octopus-graph"),
        planner=to_planner(model, metrics),
    )
    return metrics


def _held_out_metrics(
    rows: EmbeddedRows,
    graph: PathGraph,
    docstrings: ZeroShotHead,
    embed: Embed,
    settings: PlannerSettings,
    progress: Progress,
) -> dict[str, float]:
    """Measure a planner that was trained on four fifths of the rows on the remaining fifth."""
    order = np.random.default_rng(settings.seed).permutation(len(rows.paths))
    held_out, seen = order[::_HELD_OUT], np.setdiff1d(order, order[::_HELD_OUT])
    some = rows.pick(seen.tolist())
    model = train_next(some, graph, docstrings, settings, lambda share: progress(0.35 * share))
    planner = Planner(graph, model, embed)
    found = [planner.plan(rows.requests[k]).path for k in held_out]
    gold = [tuple(graph.nodes[node] for node in rows.paths[k]) for k in held_out]
    pairs = list(zip(found, gold, strict=True))
    progress(0.05)
    means = {
        "node_f1": np.mean([node_f1(*pair) for pair in pairs]),
        "link_f1": np.mean([link_f1(*pair) for pair in pairs]),
        "exact": np.mean([path == right for path, right in pairs]),
    }
    return {name: round(float(mean), 4) for name, mean in means.items()} | {
        "held_out_paths": float(len(pairs))
    }


def train_next(
    rows: EmbeddedRows,
    graph: PathGraph,
    docstrings: ZeroShotHead,
    settings: PlannerSettings,
    progress: Progress = lambda share: None,
) -> TrainedNext:
    """Train the model of what comes next; `progress` is called with shares of the whole."""
    requests, paths = rows.requests, rows.paths
    exemplars, left_out, similarity = fit_exemplars(
        [request.text for request in requests],
        np.stack([request.vector for request in requests]),
        paths,
        graph,
    )
    progress(0.1)
    priors = edge_priors(paths, graph)
    np.fill_diagonal(similarity, -np.inf)
    weights = _phrase_weights(rows, graph, range(len(paths)))
    examples: list[RankingExample] = []
    for own, others in _folds(len(paths), settings):
        held_out = _phrase_weights(rows, graph, others)
        for k in own:
            evidence = Evidence(
                phrases=phrase_fits(held_out, requests[k]),
                described=described(docstrings, requests[k]),
                targets=_left_out(left_out[k]),
                nearest=nearest(similarity[k], exemplars.paths),
                priors=priors,
            )
            examples += _ranking_examples(evidence, graph, paths[k])
        progress(0.4 / settings.folds)
    ranker = train_ranker(examples, settings.ranker, lambda share: progress(0.5 * share))
    return TrainedNext(graph, exemplars, weights, priors, docstrings, ranker)


def _ranking_examples(evidence: Evidence, graph: PathGraph, path: path_graph.Path) -> list[RankingExample]:
    """Make an example of each step of `path` and of its end."""
    found = []
    for length, right in enumerate((*path, graph.end)):
        visited = path[:length]
        at = visited[-1] if visited else graph.entry
        candidates = graph.candidates(at, visited)
        inputs = features(evidence, graph, visited, at, candidates)
        gold = int(np.flatnonzero(candidates == right)[0])
        kept = _likely(inputs, gold)
        found.append(RankingExample(inputs[kept], int(np.flatnonzero(kept == gold)[0])))
    return found


def _likely(inputs: NDArray[np.float32], gold: int) -> NDArray[np.int64]:
    """Return the places of the likeliest candidates, the right one among them."""
    if len(inputs) <= _MOST_CANDIDATES:
        return np.arange(len(inputs))
    columns = [FEATURES.index(name) for name in ("phrase", "described", "node", "edge")]
    best = np.argsort(-inputs[:, columns].sum(axis=1), kind="stable")[:_MOST_CANDIDATES]
    return best if gold in best else np.append(best, gold)


def _folds(rows: int, settings: PlannerSettings) -> list[tuple[list[int], list[int]]]:
    """Return the rows of each fold, with all the others."""
    folds = min(settings.folds, rows)
    place = np.random.default_rng(settings.seed).permutation(rows) % folds
    return [
        (np.flatnonzero(place == fold).tolist(), np.flatnonzero(place != fold).tolist())
        for fold in range(folds)
    ]


def _phrase_weights(rows: EmbeddedRows, graph: PathGraph, some: Sequence[int]) -> NDArray[np.float32]:
    """Learn phrase weights from the rows at `some`: from their steps, or else from their phrases."""
    vectors, owners, nodes = [], [], []
    for k in some:
        taught = len(rows.step_nodes[k]) > 0
        own = rows.steps[k] if taught else rows.requests[k].phrase_vectors
        vectors.append(own)
        owners += [k] * len(own)
        nodes += rows.step_nodes[k] if taught else [-1] * len(own)
    on_path = np.zeros((len(rows.paths), graph.end), dtype=np.bool_)
    for k in some:
        on_path[k, list(rows.paths[k])] = True
    texts = PhraseTexts(np.concatenate(vectors), np.array(owners), np.array(nodes))
    return phrase_weights(texts, on_path)


def _left_out(values: NDArray[np.float32]) -> Callable[..., NDArray[np.float32]]:
    return lambda rows: np.where(rows < 0, 0.0, values[rows]).astype(np.float32)
