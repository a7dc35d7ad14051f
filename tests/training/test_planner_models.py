"""Check what regressions learn from requests and phrases, and that the ranker weighs features."""

from __future__ import annotations

import numpy as np
import pytest

from agents.octopus.embedding import Encoder
from tests.planning import ROWS, kitchen
from training.planner_models import (
    PhraseTexts,
    RankerSettings,
    RankingExample,
    edge_priors,
    fit_exemplars,
    path_targets,
    phrase_weights,
    train_ranker,
)
from training.rows.paths import PathRow


def test_phrases_find_their_nodes_without_step_texts() -> None:
    """Give three rows with two nodes each; only one assignment of the phrases explains them all."""
    phrases = np.eye(3, dtype=np.float32)[[0, 1, 1, 2, 2, 0]]
    texts = PhraseTexts(phrases, np.array([0, 0, 1, 1, 2, 2]), np.full(6, -1))
    on_path = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=np.bool_)
    weights = phrase_weights(texts, on_path)
    scores = np.eye(3) @ weights[:, :3].T + weights[:, 3]
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]


def test_a_row_that_is_left_out_is_scored_as_if_it_had_never_been_there(encoder: Encoder) -> None:
    graph, rows = kitchen(), [PathRow.model_validate(row) for row in ROWS]
    paths = [tuple(graph.place[name] for name in row.path) for row in rows]
    texts = [row.query for row in rows]
    vectors = encoder.embed(texts)
    _, left_out, similarity = fit_exemplars(texts, vectors, paths, graph)
    targets = path_targets(paths, graph)
    kept = np.arange(1, len(rows))
    gram = similarity[np.ix_(kept, kept)] + 0.3 * np.eye(len(kept))
    mean = targets.mean(axis=0)  # which is not fitted again
    expected = mean + similarity[0, kept] @ np.linalg.solve(gram, targets[kept] - mean)
    np.testing.assert_allclose(left_out[0], expected, atol=1e-3)


def test_priors_are_probabilities_of_the_edges_that_leave_a_node() -> None:
    graph = kitchen()
    paths = [tuple(graph.place[name] for name in PathRow.model_validate(row).path) for row in ROWS]
    priors = np.exp(edge_priors(paths, graph))
    for node in range(graph.end):
        own = [place for (source, _), place in graph.edges.items() if source == node]
        assert not own or abs(priors[own].sum() - 1) < 1e-5


def test_the_ranker_learns_which_feature_counts() -> None:
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(4, 3)).astype(np.float32) for _ in range(200)]
    decisions = [RankingExample(own, int(own[:, 1].argmax())) for own in inputs]
    settings = RankerSettings(networks=1, units=8, epochs=40, batch=20)
    ranker = train_ranker(decisions, settings)
    right = [int(ranker.log_probabilities(own).argmax()) == int(own[:, 1].argmax()) for own in inputs]
    assert np.mean(right) > 0.9
    assert np.exp(ranker.log_probabilities(inputs[0])).sum() == pytest.approx(1)
