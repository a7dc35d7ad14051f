"""Thread helpers, from every saver to every saver."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from app.persistence.threads import export_thread, import_thread, list_threads
from tests.app.persistence.conftest import KINDS, Target, opened
from tests.app.persistence.samples import Saver, config


def graph(saver: Saver) -> Any:
    def ask(state: MessagesState) -> dict[str, Any]:
        if state["messages"][-1].content == "wait":
            interrupt("go on?")
        return {"messages": [("ai", "answer " * 50)]}

    inner = StateGraph(MessagesState)
    inner.add_node("ask", ask)
    inner.add_edge(START, "ask")
    builder = StateGraph(MessagesState)
    builder.add_node("inner", inner.compile(checkpointer=True))
    builder.add_edge(START, "inner")
    builder.add_edge("inner", END)
    return builder.compile(checkpointer=saver)


async def states(saver: Saver) -> list[Any]:
    """All checkpoints of the thread without what a saver adds: order of equal ids, path of writes."""
    found = [t async for t in saver.alist({"configurable": {"thread_id": "thread"}})]
    return sorted(
        (
            t.config["configurable"]["checkpoint_ns"],
            t.checkpoint["id"],
            t.parent_config["configurable"]["checkpoint_id"] if t.parent_config else "",
            json.dumps(t.checkpoint, default=repr, sort_keys=True),
            json.dumps(t.metadata, default=repr, sort_keys=True),
            repr(t.pending_writes),
        )
        for t in found
    )


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
async def test_a_thread_moves_whole(source: str, target: str, redis: Target, tmp_path: Path) -> None:
    async with (
        opened(source, redis, tmp_path / "one.sqlite") as one,
        opened(target, redis, tmp_path / "two.sqlite") as two,
    ):
        for text in ("hello", "again", "wait"):
            await graph(one).ainvoke({"messages": [("user", text)]}, config())
        lines = [line async for line in export_thread(one, "thread")]
        assert await import_thread(two, lines) == "thread"
        assert await states(two) == await states(one)
        # The imported thread goes on where the original was interrupted.
        resumed = await graph(two).ainvoke(Command(resume="yes"), config())
        assert len(resumed["messages"]) == 6
        with pytest.raises(ValueError, match="exists already"):
            await import_thread(two, lines)
        assert await import_thread(two, lines, "other") == "other"
        assert {summary.thread_id for summary in await list_threads(two)} == {"other", "thread"}


async def test_an_export_grows_with_the_conversation(redis: Target) -> None:
    sizes = []
    async with redis.saver() as saver:
        for _ in range(2):
            for i in range(12):
                await graph(saver).ainvoke({"messages": [("user", f"question {i} " * 30)]}, config())
            sizes.append(sum([len(line) async for line in export_thread(saver, "thread")]))
    assert sizes[1] < 2.2 * sizes[0]


@pytest.mark.parametrize("kind", KINDS)
async def test_threads_are_listed_by_last_use(kind: str, redis: Target, tmp_path: Path) -> None:
    async with opened(kind, redis, tmp_path / "one.sqlite") as saver:
        for thread in ("b", "a", "c", "b"):
            await graph(saver).ainvoke({"messages": [("user", "hello")]}, config(thread))
        found = await list_threads(saver)
        assert [summary.thread_id for summary in found] == ["b", "c", "a"]
        assert found[0].checkpoints == 2 * found[1].checkpoints
        assert len(await list_threads(saver, limit=2)) == 2


async def test_what_cannot_be_moved_is_named(redis: Target) -> None:
    async with redis.saver() as saver:
        with pytest.raises(KeyError, match="'nobody'"):
            [line async for line in export_thread(saver, "nobody")]
        with pytest.raises(ValueError, match="octopus-thread"):
            await import_thread(saver, ['{"format": "other"}'])
        with pytest.raises(ValueError, match="octopus-thread"):
            await import_thread(saver, [])
