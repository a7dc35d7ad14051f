"""Test the planners whose decisions are timed."""

from __future__ import annotations

import pytest

from agents.types import NodeName
from evaluation.labs.planning_speed import decision_ratios, made_up_planner
from evaluation.labs.routing_speed import queries


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
