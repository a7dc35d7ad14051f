"""Let one run at a time have a thread, in whichever process it is; others wait in the order they came.

A `LockingSaver` keeps the locks beside its threads. A lock counts for some seconds and is renewed while its
owner lives, so that one of a killed process runs out by itself. An owner that stood still for longer keeps
its lock until somebody else takes it; from then on the saver refuses what it writes, so that it never writes
over the turn of another. Locks of every other saver hold in this process only.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable
from uuid import uuid4
from weakref import WeakKeyDictionary

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from app.persistence.errors import PersistenceError, ThreadBusyError

T = TypeVar("T")

LEASE = 6.0
"""Seconds for which a lock counts: how long that of a killed process stays."""

_RENEWAL = LEASE / 3
_ENDING = 2.0  # seconds that a storage has to end what was begun
_PAUSE, _LONGEST_PAUSE = 0.05, 0.5  # between two questions of who waits
_LOCK = "__octopus_lock"  # in a config; LangGraph keeps no name like this in a checkpoint
_ending: set[asyncio.Task[None]] = set()
_log = logging.getLogger("octopus.persistence")

Manner = Literal["once", "queue", "renew"]
"""How a lock is asked for: with no place in the queue, with one, or only where it is held."""


@runtime_checkable
class LockingSaver(Protocol):
    """Describe a saver that keeps the locks of its threads, and refuses writes where one was lost."""

    @property
    def lock_scope(self) -> str:
        """Return what names the storage: savers of one share its locks."""

    async def alock(self, thread_id: str, owner: str, seconds: float, manner: Manner) -> int:
        """Return how many owners come first: 0 has the lock, and -1 is a renewal that came too late."""

    async def aunlock(self, thread_id: str, owner: str) -> None:
        """Give the lock, or the place in the queue, back; nothing happens to one that is somebody else's."""


@dataclass(frozen=True)
class _Held:
    """Name a lock in the config of the run that holds it."""

    scope: str
    thread_id: str
    owner: str


def lock_owner(config: RunnableConfig, saver: LockingSaver) -> str | None:
    """Return who writes, if that is a run that holds the lock of the config's thread in this storage."""
    configurable = config.get("configurable", {})
    held = configurable.get(_LOCK)
    # A graph inside of a node inherits the config, and may keep threads elsewhere.
    if isinstance(held, _Held) and held.scope == saver.lock_scope:
        return held.owner if held.thread_id == str(configurable.get("thread_id")) else None
    return None


@asynccontextmanager
async def locked(
    saver: BaseCheckpointSaver[Any], thread_id: str, wait: float = 0.0
) -> AsyncIterator[RunnableConfig]:
    """Hold the lock of a thread; yield the config of whoever writes under it.

    Args:
        saver: keeps the thread.
        thread_id: of the thread, whether it exists or not.
        wait: seconds to wait in the queue for; 0 does not join it.

    Raises:
        ThreadBusyError: others have the thread, or come first.
        PersistenceError: the storage cannot be used.
    """
    saver = getattr(saver, "awaited", saver)  # where its methods are called in threads
    keeper = saver if isinstance(saver, LockingSaver) else _InProcess.of(saver)
    held = _Held(keeper.lock_scope, thread_id, uuid4().hex)
    renewal: asyncio.Task[None] | None = None
    try:
        await _take(keeper, held, wait)
        renewal = asyncio.create_task(_renew(keeper, held))
        yield {"configurable": {_LOCK: held}}
    finally:
        if renewal is not None:
            renewal.cancel()
        ending = asyncio.create_task(_give_back(keeper, held))
        _ending.add(ending)  # the loop itself would not keep it
        ending.add_done_callback(_ending.discard)
        await asyncio.shield(ending)


async def _take(keeper: LockingSaver, held: _Held, wait: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    manner: Manner = "queue" if wait > 0 else "once"
    while ahead := await to_its_end(keeper.alock(held.thread_id, held.owner, LEASE, manner)):
        left = deadline - loop.time()
        if left <= 0:
            raise ThreadBusyError(held.thread_id)
        # Whoever is next asks most often.
        await asyncio.sleep(min(ahead * _PAUSE, _LONGEST_PAUSE, left))


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await `work`; a task that is cancelled meanwhile waits for it all the same, for a while."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_ENDING)
        raise


async def _renew(keeper: LockingSaver, held: _Held) -> None:
    while True:
        await asyncio.sleep(_RENEWAL)
        # A storage that is away may be back before anybody else wants the thread.
        with suppress(PersistenceError):
            if await keeper.alock(held.thread_id, held.owner, LEASE, "renew"):
                _log.warning("A run stood still, and another has its thread: what it writes is refused.")
                return


async def _give_back(keeper: LockingSaver, held: _Held) -> None:
    # What cannot be given back runs out; nobody shall wait for a storage that is away.
    with suppress(PersistenceError, TimeoutError):
        async with asyncio.timeout(_ENDING):
            await keeper.aunlock(held.thread_id, held.owner)


@dataclass
class _InProcess:
    """Keep the locks of a saver that keeps none itself; they end with their runs."""

    lock_scope: str = ""
    _guard: threading.Lock = field(default_factory=threading.Lock)  # runs come from several event loops
    _queues: dict[str, list[str]] = field(default_factory=dict)

    @staticmethod
    def of(saver: BaseCheckpointSaver[Any]) -> _InProcess:
        """Return the locks of a saver, the same ones for all its runs."""
        with _making:
            return _made.setdefault(saver, _InProcess())

    async def alock(self, thread_id: str, owner: str, seconds: float, manner: Manner) -> int:
        with self._guard:
            queue = self._queues.setdefault(thread_id, [])
            if owner not in queue:
                queue.append(owner)
            ahead = queue.index(owner)
            if ahead and manner == "once":
                queue.remove(owner)
            return ahead

    async def aunlock(self, thread_id: str, owner: str) -> None:
        with self._guard:
            queue = self._queues.get(thread_id, [])
            if owner in queue:
                queue.remove(owner)
            if not queue:
                self._queues.pop(thread_id, None)


_making = threading.Lock()
_made: WeakKeyDictionary[BaseCheckpointSaver[Any], _InProcess] = WeakKeyDictionary()
