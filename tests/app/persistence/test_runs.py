"""Turns in every saver of ours, with messages kept as deltas: delete by run, copy, prune, and clocks."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import id as ids

from app.persistence.checkpoints import keep_ahead
from app.persistence.errors import PersistenceError
from tests.app.persistence.conftest import Target, opened
from tests.app.persistence.samples import Saver, config
from tests.app.runs.test_claimed import run, said

KINDS = ["redis", "sqlite"]


async def ask(saver: Saver, question: str, thread: str = "t") -> None:
    """One turn, in a run of this name, as the LangGraph server names runs."""
    given: Any = {"messages": [HumanMessage(question)]}
    named = config(thread) | {"metadata": {"run_id": question}}
    await run(saver, question).graph.ainvoke(given, named, durability="sync")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_run_that_is_rolled_back_was_never_there(kind: str, redis: Target, tmp_path: Path) -> None:
    async with opened(kind, redis, tmp_path / "file") as saver:
        for question in ("one", "two", "three"):
            await ask(saver, question)
        await saver.adelete_for_runs(["three", "unknown"])
        assert await said(saver) == ["one", "one!", "two", "two!"]
        await ask(saver, "four")
        assert await said(saver) == ["one", "one!", "two", "two!", "four", "four!"]
        await saver.adelete_for_runs(["one", "two", "four"])
        assert [found async for found in saver.alist(config("t"))] == []


@pytest.mark.parametrize("kind", KINDS)
async def test_what_later_turns_are_replayed_from_stays(kind: str, redis: Target, tmp_path: Path) -> None:
    async with opened(kind, redis, tmp_path / "file") as saver:
        for question in ("one", "two", "three"):
            await ask(saver, question)
        await saver.adelete_for_runs(["one"])
        assert await said(saver) == ["one", "one!", "two", "two!", "three", "three!"]
        before = len([found async for found in saver.alist(config("t"))])
        await saver.aprune(["t"], strategy="keep_latest")
        assert len([found async for found in saver.alist(config("t"))]) <= before
        assert await said(saver) == ["one", "one!", "two", "two!", "three", "three!"]
        await ask(saver, "four")
        assert (await said(saver))[-3:] == ["three!", "four", "four!"]
        with pytest.raises(ValueError, match="'keep_all'"):
            await saver.aprune(["t"], strategy="keep_all")
        await saver.aprune(["t"], strategy="delete")
        assert await said(saver) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_no_turn_is_lost_to_a_clock_that_went_back(
    kind: str, redis: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(kind, redis, tmp_path / "file") as saver:
        await ask(saver, "one")
        now = time.time_ns()
        for behind in (3600, 60, 0):
            # As in another process, whose clock is behind.
            monkeypatch.setattr(ids, "_last_v6_timestamp", None)
            monkeypatch.setattr(time, "time_ns", lambda behind=behind: now - behind * 10**9)
            await ask(saver, f"{behind} behind")
        expected = ["one", "3600 behind", "60 behind", "0 behind"]
        assert await said(saver) == [text for one in expected for text in (one, f"{one}!")]


def test_an_id_of_no_clock_moves_nothing() -> None:
    before = ids.uuid6()
    for other in ("no id", str(uuid.uuid4()), "ffffffff-ffff-6fff-bfff-ffffffffffff"):
        keep_ahead(other)
    assert ids.uuid6().time - before.time < 3600 * 10**7


@pytest.mark.parametrize("kind", KINDS)
async def test_a_copy_goes_its_own_way(kind: str, redis: Target, tmp_path: Path) -> None:
    async with opened(kind, redis, tmp_path / "file") as saver:
        await ask(saver, "one", "origin")
        await saver.acopy_thread("origin", "t")
        await ask(saver, "two", "origin")
        assert await said(saver) == ["one", "one!"]
        with pytest.raises(PersistenceError, match="'t' exists"):
            await saver.acopy_thread("origin", "t")
        await saver.acopy_thread("nothing", "nowhere")
        assert await saver.aget_tuple(config("nowhere")) is None
