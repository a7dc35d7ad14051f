"""Train the next-node Octopus on gold paths.

    octopus train router --graph G --paths rows.jsonl.gz --out DIR

Three things are learnt, each in seconds: what the paths of similar requests say (exemplars), which node a
phrase asks for (phrase weights), and how to weigh such evidence (the ranker). The ranker learns on evidence
that has not seen the row in question: exemplars leave it out, phrase weights come from other folds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.octopus.encoder.zero_shot import Embed
from agents.octopus.planning.docstrings import Docstrings
from agents.octopus.planning.evidence import FEATURES, Evidence, features
from agents.octopus.planning.exemplars import nearest
from agents.octopus.planning.path_graph import Path, PathGraph
from agents.octopus.planning.planner import Request, read_requests
from agents.octopus.planning.trained import TrainedNext, described, phrase_fits
from training.planner.exemplars import edge_priors, fit_exemplars
from training.planner.paths import PathRow
from training.planner.phrase_weights import Texts, phrase_weights
from training.planner.ranker import Decision, RankerSettings, train_ranker

_MOST_CANDIDATES = 40  # of a decision in training: the likely ones, among them the right one
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class PlannerSettings:
    """Hyper-parameters, chosen by cross-validation on UltraTool's training rows.

    Attributes:
        folds: in which phrase weights leave rows out.
        ranker: of the ranker.
        seed: of the folds.
    """

    folds: int = 10
    ranker: RankerSettings = field(default_factory=RankerSettings)
    seed: int = 0


@dataclass(frozen=True)
class EmbeddedRows:
    """Rows with everything embedded.

    Attributes:
        requests: [n].
        paths: [n].
        steps: [n] embeddings [k, d] of each row's step texts, and
        step_nodes: [n] the node of each step.
    """

    requests: list[Request]
    paths: list[Path]
    steps: list[NDArray[np.float32]]
    step_nodes: list[list[int]]

    @classmethod
    def of(cls, rows: Sequence[PathRow], graph: PathGraph, embed: Embed) -> EmbeddedRows:
        """Embed `rows`."""
        place = graph.place
        vectors = embed([step.text for row in rows for step in row.steps])
        ends = np.cumsum([len(row.steps) for row in rows])
        return cls(
            read_requests([row.query.strip() for row in rows], embed),
            [tuple(place[name] for name in row.path) for row in rows],
            [vectors[end - len(row.steps) : end] for row, end in zip(rows, ends, strict=True)],
            [[place[step.node] for step in row.steps] for row in rows],
        )

    def pick(self, some: Sequence[int]) -> EmbeddedRows:
        """Some of the rows."""
        return EmbeddedRows(
            [self.requests[k] for k in some],
            [self.paths[k] for k in some],
            [self.steps[k] for k in some],
            [self.step_nodes[k] for k in some],
        )


def train_next(
    rows: EmbeddedRows,
    graph: PathGraph,
    docstrings: Docstrings,
    settings: PlannerSettings,
    progress: Progress = lambda what, share: None,
) -> TrainedNext:
    """The model of what comes next; `progress` is called with shares of the whole."""
    requests, paths = rows.requests, rows.paths
    exemplars, left_out, similarity = fit_exemplars(
        [request.text for request in requests],
        np.stack([request.vector for request in requests]),
        paths,
        graph,
    )
    progress("exemplars", 0.1)
    priors = edge_priors(paths, graph)
    np.fill_diagonal(similarity, -np.inf)
    weights = _phrase_weights(rows, graph, range(len(paths)))
    decisions: list[Decision] = []
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
            decisions += path_decisions(evidence, graph, paths[k])
        progress("evidence", 0.4 / settings.folds)
    ranker = train_ranker(decisions, settings.ranker, lambda share: progress("ranker", 0.5 * share))
    return TrainedNext(graph, exemplars, weights, priors, docstrings, ranker)


def path_decisions(evidence: Evidence, graph: PathGraph, path: Path) -> list[Decision]:
    """A decision for each step of `path` and for its end."""
    found = []
    for length, right in enumerate((*path, graph.end)):
        visited = path[:length]
        at = visited[-1] if visited else graph.entry
        candidates = graph.candidates(at, visited)
        inputs = features(evidence, graph, visited, at, candidates)
        gold = int(np.flatnonzero(candidates == right)[0])
        kept = _likely(inputs, gold)
        found.append(Decision(inputs[kept], int(np.flatnonzero(kept == gold)[0])))
    return found


def _likely(inputs: NDArray[np.float32], gold: int) -> NDArray[np.int64]:
    if len(inputs) <= _MOST_CANDIDATES:
        return np.arange(len(inputs))
    columns = [FEATURES.index(name) for name in ("phrase", "described", "node", "edge")]
    best = np.argsort(-inputs[:, columns].sum(axis=1), kind="stable")[:_MOST_CANDIDATES]
    return best if gold in best else np.append(best, gold)


def _folds(rows: int, settings: PlannerSettings) -> list[tuple[list[int], list[int]]]:
    """(rows of a fold, all the others) for each fold."""
    folds = min(settings.folds, rows)
    place = np.random.default_rng(settings.seed).permutation(rows) % folds
    return [
        (np.flatnonzero(place == fold).tolist(), np.flatnonzero(place != fold).tolist())
        for fold in range(folds)
    ]


def _phrase_weights(rows: EmbeddedRows, graph: PathGraph, some: Sequence[int]) -> NDArray[np.float32]:
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
    texts = Texts(np.concatenate(vectors), np.array(owners), np.array(nodes))
    return phrase_weights(texts, on_path)


def _left_out(values: NDArray[np.float32]) -> Callable[..., NDArray[np.float32]]:
    return lambda rows: np.where(rows < 0, 0.0, values[rows]).astype(np.float32)
