"""The contract suite of langgraph-checkpoint, on every server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate

from app.persistence import RedisSaver
from tests.app.persistence.conftest import Target

KEY = bytes(range(32))


@pytest.mark.parametrize("options", [{}, {"encryption_key": KEY, "ttl": 600.0}], ids=["plain", "encrypted"])
async def test_every_capability(target: Target, options: dict[str, Any]) -> None:
    @checkpointer_test(name="RedisSaver")
    async def registered() -> AsyncIterator[RedisSaver]:
        async with target.saver(**options) as saver:
            yield saver

    report = await validate(registered)
    failures = {name: result.failures for name, result in report.results.items() if not result.passed}
    assert not failures
    assert len(report.results) == 8
    assert sum(result.tests_passed for result in report.results.values()) >= 80
