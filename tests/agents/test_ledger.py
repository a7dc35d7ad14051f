"""Costs, means and capacity of workers."""

from __future__ import annotations

import asyncio

import pytest

from agents.ledger import Ledger, Policy, Profile, usage_of
from agents.types import NodeName

BIG, SMALL = NodeName("big"), NodeName("small")
PRICED = {
    BIG: Profile((3.0, 15.0), size=70, latency=4.0),
    SMALL: Profile((0.1, 0.2), size=3, latency=0.5),
}


@pytest.mark.parametrize(
    ("policy", "big", "small", "chosen"),
    [
        ("quality", 0.5, 0.49, BIG),
        ("balanced", 0.6, 0.3, SMALL),
        ("balanced", 0.8, 0.1, BIG),
        ("cheap", 0.8, 0.1, SMALL),
        ("cheap", 0.9, 0.01, BIG),
    ],
)
def test_a_policy_weighs_probability_against_cost(
    policy: Policy, big: float, small: float, chosen: NodeName
) -> None:
    assert Ledger(PRICED).prefer(policy, [(BIG, big), (SMALL, small)]) == chosen


def test_what_is_unknown_of_one_choice_does_not_weigh() -> None:
    ledger = Ledger({BIG: Profile((3.0, 15.0))})
    assert ledger.prefer("cheap", [(BIG, 0.5), (SMALL, 0.4)]) == BIG


def test_costs_are_dollars_of_tokens() -> None:
    ledger = Ledger(PRICED)
    assert ledger.cost(BIG, (1_000_000, 100_000)) == pytest.approx(4.5)
    assert ledger.cost(NodeName("free"), (10, 10)) == 0


def test_latency_is_the_running_mean_of_what_was_measured() -> None:
    ledger = Ledger(PRICED)
    assert ledger.latency(BIG) == 4.0
    for seconds in (1.0, 2.0):
        ledger.record(BIG, (100, 10), seconds)
    assert ledger.latency(BIG) == 1.5
    assert ledger.cost(BIG) == pytest.approx((3.0 * 100 + 15.0 * 10) / 1e6)


async def test_no_more_calls_run_at_once_than_the_capacity() -> None:
    ledger, running, most = Ledger({BIG: Profile(capacity=2)}), 0, 0

    async def call() -> None:
        nonlocal running, most
        async with ledger.serving(BIG):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    await asyncio.gather(*(call() for _ in range(7)))
    assert most == 2
    assert not ledger.full(BIG)


def test_promised_places_count() -> None:
    ledger = Ledger({BIG: Profile(capacity=1)})
    assert not ledger.full(BIG)
    ledger.promise(BIG)
    assert ledger.full(BIG)
    assert not ledger.full(SMALL)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}, (3, 2)),
        ({"prompt_tokens": 3, "completion_tokens": 2}, (3, 2)),
        ({"total_tokens": 7}, (0, 7)),
        (None, (0, 0)),
    ],
)
def test_usage_records_of_any_kind_are_read(usage: object, tokens: tuple[int, int]) -> None:
    assert usage_of({"usage": usage}) == tokens
