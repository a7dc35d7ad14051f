"""Test that what is timed is what the report says; the ratios themselves are for a quiet machine."""

from __future__ import annotations

import numpy as np
import pytest

from agents.octopus.embedding import Encoder
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.types import NodeName
from evaluation.speed import (
    candidates,
    compare,
    decision_ratios,
    graph_cost,
    made_up_octopus,
    made_up_planner,
    queries,
)


def test_a_call_that_takes_three_times_as_long_has_a_ratio_of_three() -> None:
    now = [0.0]

    def slow(text: str) -> None:
        now[0] += 0.006

    def fast(text: str) -> None:
        now[0] += 0.002

    found = compare(slow, fast, queries(10), rounds=2, clock=lambda: now[0])
    assert (found.ratio, found.milliseconds, found.baseline_milliseconds) == pytest.approx((3, 6, 2))
    assert compare(fast, slow, queries(10), 2, lambda: now[0]).ratio == pytest.approx(1 / 3)


def test_made_up_tools_differ_and_are_routed(encoder: Encoder) -> None:
    tools = candidates(10_000)
    assert len({tool.description for tool in tools}) == 10_000
    octopus = made_up_octopus(encoder, 150)
    assert len(octopus.neighbours) == 150
    probabilities = octopus.head.probabilities("Find flights", encoder.embed(["Find flights"])[0])
    assert probabilities.shape == (151,)
    assert np.isclose(probabilities.sum(), 1)


def test_the_queries_are_as_many_and_as_long_as_exam_questions(encoder: Encoder) -> None:
    texts = queries(200)
    assert len(texts) == 200
    assert all(len(text.splitlines()) == 5 for text in texts)


def test_the_cost_of_a_graph_is_measured(octopus: EncoderOctopus) -> None:
    cost = graph_cost(octopus, runs=1)
    assert cost.workers == 17
    assert cost.compile_seconds > 0


def test_a_decision_reads_neighbours_only() -> None:
    planner = made_up_planner(17, 2_000)
    request = planner.read(queries(1))[0]
    found = planner.following(request, (), NodeName("octopus"))
    assert len(found) == 17
    assert sum(found.values()) == pytest.approx(1)


def test_large_graphs_are_compared_with_small_ones_and_many_neighbours_with_few() -> None:
    found = decision_ratios(rounds=1, large=2_000)
    assert list(found) == ["17 neighbours, 2,000 nodes / 18 nodes", "20 neighbours / 17, 2,000 nodes"]
    assert all(ratio.ratio > 0 for ratio in found.values())
