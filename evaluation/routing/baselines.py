"""Train the routers that people would pick instead, on the same rows and the public encoder's embeddings.

Each is trained on the rows that the mmlu router trains on, with and without our own text. Neighbours,
penalty and width are chosen by cross-validation on the exam rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from agents.octopus.embedding import Vectors
from agents.octopus.encoder.heads import Head
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.octopus.encoder.zero_shot import Embed
from evaluation.report import Advance, no_progress
from evaluation.routing.metrics import Predictions, RoutingMetrics, check_nodes, measure, places
from training.rows.labelled_rows import RouterRow, fold_of

_FOLDS = 3
GRIDS: Mapping[str, tuple[Any, dict[str, list[Any]]]] = {
    "kNN": (KNeighborsClassifier(metric="cosine", weights="distance"), {"n_neighbors": [5, 10, 20, 40]}),
    "logistic regression": (LogisticRegression(max_iter=500), {"C": [3.0, 10.0, 30.0]}),
    "RBF-SVC": (SVC(kernel="rbf"), {"C": [3.0, 10.0], "gamma": [0.5, 1.0, 2.0]}),
}


@dataclass(frozen=True)
class TrainingTexts:
    """Hold texts to train on; a row's forms are texts of their own.

    Attributes:
        texts: [n].
        vectors: [n, d] unit embeddings.
        labels: [n], places among the nodes.
        weights: [n].
        folds: [n], the fold that a text is held out in, -1 for text that only supports.
        nodes: the nodes' names.
    """

    texts: list[str]
    vectors: Vectors
    labels: NDArray[np.int64]
    weights: NDArray[np.float64]
    folds: NDArray[np.int64]
    nodes: list[str]

    @classmethod
    def of(cls, rows: Iterable[RouterRow], nodes: Sequence[str], embed: Embed) -> TrainingTexts:
        """Return the texts of `rows`; those of no node are left out, for these routers know none."""
        rows = [row for row in rows if row.node is not None]
        pairs = [(k, text) for k, row in enumerate(rows) for text in row.texts]
        owners = np.array([k for k, _ in pairs])
        labels = places(nodes, [str(row.node) for row in rows])
        return cls(
            texts=[text for _, text in pairs],
            vectors=embed([text for _, text in pairs]),
            labels=labels[owners],
            weights=np.array([row.weight for row in rows])[owners],
            folds=fold_of(rows, _FOLDS, seed=0)[owners],
            nodes=list(nodes),
        )

    def exam_only(self) -> TrainingTexts:
        """Return the texts without those that only support."""
        kept = self.folds >= 0
        return TrainingTexts(
            texts=[text for text, keep in zip(self.texts, kept, strict=True) if keep],
            vectors=self.vectors[kept],
            labels=self.labels[kept],
            weights=self.weights[kept],
            folds=self.folds[kept],
            nodes=self.nodes,
        )


@dataclass(frozen=True)
class Baseline:
    """Route by another means.

    Attributes:
        name: what people call it.
        settings: its hyper-parameters.
        predict: gives the predictions for queries and their embeddings.
    """

    name: str
    settings: str
    predict: Callable[[Sequence[str], Vectors], Predictions]


def measure_baselines(
    zero_shot: EncoderOctopus,
    rows: Iterable[RouterRow],
    texts: Mapping[str, list[str]],
    gold: NDArray[np.int64],
    advance: Advance = no_progress,
) -> Iterator[tuple[str, dict[str, RoutingMetrics]]]:
    """Yield name and metrics by form of each baseline; no metrics where its package is not installed.

    Args:
        zero_shot: the node without an artifact.
        rows: what the others are trained on.
        texts: the queries to route, by form.
        gold: the right places for each form.
        advance: called with the number of queries just embedded.
    """
    vectors = {}
    for form, queries in texts.items():
        vectors[form] = zero_shot.encoder.embed(queries)
        advance(len(queries))

    def measured(baseline: Baseline) -> dict[str, RoutingMetrics]:
        return {form: measure(baseline.predict(own, vectors[form]), gold) for form, own in texts.items()}

    untrained = zero_shot_baseline(zero_shot.head)
    yield f"{untrained.name} ({untrained.settings})", measured(untrained)
    with_own = TrainingTexts.of(rows, check_nodes(zero_shot, []), zero_shot.encoder.embed)
    exam = with_own.exam_only()
    models = tuned_models(exam)
    for training, rows_of in ((exam, "dev+val"), (with_own, "dev+val+own text")):
        for baseline in scikit_baselines(models, training):
            yield f"{baseline.name} ({baseline.settings}; {rows_of})", measured(baseline)
        try:
            baseline = semantic_router_baseline(training)
        except ImportError:
            yield "semantic-router (not installed)", {}
        else:
            yield f"{baseline.name} ({baseline.settings}; {rows_of})", measured(baseline)


def tuned_models(
    exam: TrainingTexts, grids: Mapping[str, tuple[Any, dict[str, list[Any]]]] = GRIDS
) -> dict[str, tuple[Any, str]]:
    """Return by name kNN, logistic regression and RBF-SVC with the settings that cross-validation prefers."""
    found = {}
    for name, (model, grid) in grids.items():
        search = GridSearchCV(model, grid, cv=PredefinedSplit(exam.folds), refit=False)
        search.fit(exam.vectors, exam.labels)
        settings = ", ".join(f"{key} {value:g}" for key, value in search.best_params_.items())
        found[name] = (clone(model).set_params(**search.best_params_), settings)
    return found


def scikit_baselines(models: Mapping[str, tuple[Any, str]], training: TrainingTexts) -> Iterator[Baseline]:
    """Yield each of `models` (see `tuned_models`), trained on `training`."""
    for name, (model, settings) in models.items():
        weights = {} if isinstance(model, KNeighborsClassifier) else {"sample_weight": training.weights}
        fitted = clone(model).fit(training.vectors, training.labels, **weights)
        yield Baseline(name, settings, partial(_predict, fitted, training.nodes))


def _predict(model: Any, nodes: Sequence[str], texts: Sequence[str], vectors: Vectors) -> Predictions:
    """Return scores over all nodes, whichever the model has seen."""
    probabilistic = hasattr(model, "predict_proba")
    found = model.predict_proba(vectors) if probabilistic else model.decision_function(vectors)
    if found.ndim == 1:  # two classes: the distance to the second
        found = np.stack([-found, found], axis=1)
    scores = np.full((len(vectors), len(nodes)), 0.0 if probabilistic else -np.inf)
    scores[:, model.classes_] = found
    return Predictions.best_of(scores, are_probabilities=probabilistic)


def semantic_router_baseline(training: TrainingTexts, top_k: int = 20) -> Baseline:
    """Return semantic-router 1.x with aggregation="sum" over `top_k` utterances, on the same embeddings.

    Raises:
        ImportError: semantic-router is not installed, or of another version.
    """
    from semantic_router import IndexedRouter, Route
    from semantic_router.encoders import DenseEncoder

    known = dict(zip(training.texts, training.vectors, strict=True))

    class KnownEncoder(DenseEncoder):  # type: ignore[misc, unused-ignore]
        def __call__(self, docs: list[str]) -> list[list[float]]:
            return [known[text].tolist() for text in docs]

    routes = [
        Route(name=node, utterances=[training.texts[k] for k in np.flatnonzero(training.labels == place)])
        for place, node in enumerate(training.nodes)
    ]
    router = IndexedRouter(encoder=KnownEncoder(name="minilm"), routes=routes, aggregation="sum", top_k=top_k)
    place = {node: k for k, node in enumerate(training.nodes)}

    def predict(texts: Sequence[str], vectors: Vectors) -> Predictions:
        known.update(zip(texts, vectors, strict=True))
        scores = np.zeros((len(texts), len(place)))
        for row, query in enumerate(texts):
            for choice in router(query, limit=None):
                scores[row, place[choice.name]] = choice.confidence
        return Predictions.best_of(scores, are_probabilities=False)

    return Baseline("semantic-router, sum", f"top_k {top_k}", predict)


def zero_shot_baseline(head: Head) -> Baseline:
    """Return our own head from docstrings and examples, which needs no training rows at all."""

    def predict(texts: Sequence[str], vectors: Vectors) -> Predictions:
        pairs = zip(texts, vectors, strict=True)
        scores = np.array([head.probabilities(text, vector)[:-1] for text, vector in pairs])
        return Predictions.best_of(scores, are_probabilities=True)

    return Baseline("zero-shot docstrings", "no rows", predict)
