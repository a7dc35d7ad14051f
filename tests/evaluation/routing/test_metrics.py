"""Test routing metrics on rows small enough to count by hand."""

from __future__ import annotations

import numpy as np
import pytest

from agents.errors import InputError
from agents.octopus.encoder.octopus import EncoderOctopus
from evaluation.routing.metrics import NONE, Predictions, check_nodes, confusion, measure, places, predict

GOLD = np.array([0, 0, 0, 1])
SCORES = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7], [0.1, 0.8, 0.1]])


def test_figures_are_those_counted_by_hand() -> None:
    metrics = measure(Predictions.best_of(SCORES, are_probabilities=True), GOLD)
    assert metrics.rows == 4
    assert metrics.accuracy == 0.5
    assert metrics.macro == pytest.approx((1 / 3 + 1) / 2)
    assert metrics.top2 == 0.75
    assert metrics.abstained == 0.0
    # Three rows at 0.7, of which one is right, and one right row at 0.8.
    assert metrics.ece == pytest.approx(0.75 * abs(1 / 3 - 0.7) + 0.25 * 0.2)


def test_abstaining_is_not_right_but_the_ranking_still_counts() -> None:
    metrics = measure(Predictions(np.array([NONE, NONE, NONE, 1]), SCORES), GOLD)
    assert (metrics.accuracy, metrics.abstained, metrics.top2) == (0.25, 0.75, 0.75)


def test_scores_that_are_no_probabilities_have_no_calibration() -> None:
    assert measure(Predictions.best_of(10 * SCORES, are_probabilities=False), GOLD).ece is None


def test_confusion_counts_abstaining_in_the_last_column() -> None:
    table = confusion(np.array([0, 1, NONE, 1]), GOLD, 2)
    assert table.tolist() == [[1, 1, 1], [0, 1, 0]]


def test_places_follow_the_order_of_the_nodes() -> None:
    assert places(["b", "a"], ["a", "b", "a"]).tolist() == [1, 0, 1]


def test_predictions_are_the_routes(octopus: EncoderOctopus) -> None:
    queries = [["Which court settles disputes over a treaty?"], ["How high does a ball rise?"], ["zzz qqq"]]
    predictions = predict(octopus, queries)
    routes = octopus.decide_all(queries)
    names = check_nodes(octopus, [])
    for row, route in enumerate(routes):
        assert (names[predictions.chosen[row]] if predictions.chosen[row] != NONE else None) == route.node
        assert predictions.scores[row].max() == pytest.approx(route.choices[0].probability)
    assert names[predictions.chosen[0]] == "law"
    assert names[predictions.chosen[1]] == "physics"


def test_a_graph_without_the_nodes_is_refused(octopus: EncoderOctopus) -> None:
    with pytest.raises(InputError, match="'alchemy'"):
        check_nodes(octopus, ["law", "alchemy"])
