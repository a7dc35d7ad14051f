"""SqliteSaver: the contract suite, writes that are cut short, and a file that many open or that is full."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate

from app.persistence import SqliteSaver
from app.persistence.errors import PersistenceError, UnavailableError
from tests.app.persistence.samples import checkpoint, config


@pytest.fixture
async def saver(tmp_path: Path) -> AsyncIterator[SqliteSaver]:
    async with SqliteSaver.from_conn_string(str(tmp_path / "file")) as opened:
        yield opened


async def test_every_capability(tmp_path: Path) -> None:
    @checkpointer_test(name="SqliteSaver")
    async def registered() -> AsyncIterator[SqliteSaver]:
        async with SqliteSaver.from_conn_string(str(tmp_path / "file")) as opened:
            yield opened

    report = await validate(registered)
    failures = {name: result.failures for name, result in report.results.items() if not result.passed}
    assert not failures
    assert len(report.results) == 8
    assert sum(result.tests_passed for result in report.results.values()) >= 80


async def test_a_cancelled_write_is_whole_or_not_there_and_locks_nobody_out(saver: SqliteSaver) -> None:
    await saver.setup()
    file, written = sqlite3.connect(saver.file, timeout=0.0), 0
    for delay in range(60):
        writing = asyncio.create_task(saver.aput(config(str(delay)), checkpoint({"a": 1}), {}, {"a": 1}))
        for _ in range(delay % 12):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        file.execute("BEGIN IMMEDIATE").execute("ROLLBACK")
        found = await saver.aget_tuple(config(str(delay)))
        written += found is not None
    file.close()
    assert 0 < written < 60


async def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    async def use(number: int) -> None:
        async with SqliteSaver.from_conn_string(str(tmp_path / "file")) as opened:
            assert await opened.alock("t", str(number), 5, "queue") >= 0
            await opened.aput(config(str(number)), checkpoint({"a": number}), {}, {"a": 1})

    await asyncio.gather(*(use(number) for number in range(12)))
    with sqlite3.connect(tmp_path / "file") as file:
        assert file.execute("SELECT count(*) FROM checkpoints").fetchone() == (12,)


async def test_what_sqlite_refuses_is_told_in_our_words(saver: SqliteSaver, tmp_path: Path) -> None:
    await saver.setup()
    with sqlite3.connect(saver.file) as file:
        file.execute("PRAGMA max_page_count = 1")
    await saver.conn.execute("PRAGMA max_page_count = 20")
    with pytest.raises(PersistenceError, match=r"full.*Free disk"):
        await saver.aput(config(), checkpoint({"a": "x" * 1_000_000}), {}, {"a": 1})
    assert await saver.aget_tuple(config()) is None
    with pytest.raises(UnavailableError):
        await SqliteSaver.from_conn_string(str(tmp_path)).__aenter__()
    with pytest.raises(ValueError, match="InMemorySaver"):
        async with SqliteSaver.from_conn_string(":memory:"):
            pass
