"""Open the saver of threads and the store of lessons: those of the settings, or given ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.store.base import BaseStore

from agents.errors import InputError
from app.settings import Settings
from graphs.blocking import AwaitableSaver, AwaitableStore

T = TypeVar("T")


class _Opened(NamedTuple):
    saver: BaseCheckpointSaver[Any]
    store: BaseStore


@dataclass
class _Place:
    """Hold what one event loop opened, and the task that closes it when told to, or when the loop ends."""

    opened: asyncio.Future[_Opened]
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


@dataclass
class Memory:
    """Keep threads and lessons, from any event loop.

    Attributes:
        settings: name the storage of threads.
        saver: keeps threads; None opens the storage that the settings name.
        store: keeps lessons; None opens one in the same storage.
    """

    settings: Settings
    saver: BaseCheckpointSaver[Any] | None = None
    store: BaseStore | None = None
    # Savers belong to the event loop that opened them.
    _places: dict[asyncio.AbstractEventLoop, _Place] = field(default_factory=dict, init=False)

    async def open(self, blocking: bool = False) -> tuple[BaseCheckpointSaver[Any], BaseStore | None]:
        """Return the saver and the store for the running loop.

        Args:
            blocking: whether the caller waits in a thread of its own, so that the given ones may block.

        Raises:
            InputError: a setting of the storage is wrong.
            PersistenceError: the storage cannot be used.
        """
        store = self.given_store(blocking)
        if self.saver is not None:
            return AwaitableSaver(self.saver) if blocking else self.saver, store
        loop = asyncio.get_running_loop()
        if loop not in self._places:
            place = self._places[loop] = _Place(loop.create_future())
            place.task = loop.create_task(self._keep(place))
        opened = await asyncio.shield(self._places[loop].opened)
        return opened.saver, store or opened.store

    def given_store(self, blocking: bool = False) -> BaseStore | None:
        """Return the store that was given, if one was."""
        return AwaitableStore(self.store) if blocking and self.store is not None else self.store

    async def close(self) -> None:
        """Close what the running loop opened."""
        place = self._places.get(asyncio.get_running_loop())
        if place and place.task:
            place.closing.set()
            await place.task

    async def _keep(self, place: _Place) -> None:
        """Open a place, and close it in the same task: a loop that ends cancels it, which closes in order."""
        try:
            async with open_saver(self.settings) as saver, open_store(self.settings) as store:
                place.opened.set_result(_Opened(saver, store))
                await place.closing.wait()
        except Exception as error:
            if place.opened.done():
                raise
            place.opened.set_exception(error)
        finally:
            place.opened.cancel()
            self._places.pop(asyncio.get_running_loop(), None)


def open_saver(settings: Settings) -> AbstractAsyncContextManager[BaseCheckpointSaver[Any]]:
    """Open the saver of threads.

    Raises:
        InputError: the url, or another setting of it, is wrong.
    """
    return _opened(settings.threads.open())


def open_store(settings: Settings) -> AbstractAsyncContextManager[BaseStore]:
    """Open the long-term store of what reflection learnt, in the storage of the threads.

    Raises:
        InputError: the url, or another setting of it, is wrong.
    """
    return _opened(settings.threads.open_store())


@asynccontextmanager
async def _opened(opening: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
    async with AsyncExitStack() as stack:
        try:
            found = await stack.enter_async_context(opening)
        except ValueError as error:
            raise InputError(
                str(error), hint="Look at REDIS_URL, OCTOPUS_THREAD_TTL and OCTOPUS_ENCRYPTION_KEY."
            ) from error
        yield found
