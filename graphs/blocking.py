"""Run coroutines from code that is not async: nodes of a graph that is invoked, and calls of the front door.

All of them run on one event loop in a thread of its own, because clients of models keep connections that
belong to the loop that opened them.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from contextvars import Context, copy_context
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from anyio import CancelScope
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.runtime import Runtime, get_runtime
from langgraph.store.base import BaseStore, Op, Result

T = TypeVar("T")
Work = Callable[[Any, Runtime[Any]], Awaitable[Any]]
_PATIENCE = 10.0  # seconds for what was cancelled to end
_AGAIN = 0.05  # seconds until it is cancelled once more


def run(work: Coroutine[Any, Any, T], context: Context | None = None) -> T:
    """Return the result of `work`, which may use everything that `context` holds, by default the caller's."""
    context, loop = context or copy_context(), _loop.get()
    if _loop.is_here():  # async code that calls a blocking function: the loop would wait for itself
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(context.run, asyncio.run, work).result()
    future = context.run(asyncio.run_coroutine_threadsafe, work, loop)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def cancellable(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`, which is cancelled again and again where one cancellation is lost.

    Before Python 3.12 `asyncio.wait_for` loses it when what it waits for comes at that moment, and clients
    of models wait so for every token.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task])
    finally:
        with CancelScope(shield=True):
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=_AGAIN)
    return task.result()


def iterate(source: AsyncGenerator[T]) -> Iterator[T]:
    """Yield what `source` yields; closing the iterator closes it."""
    if _loop.is_here():  # async code that calls a blocking function: it waits for all, as with `run`
        yield from run(_listed(source))
        return
    queue: SimpleQueue[tuple[T] | None] = SimpleQueue()

    async def pump() -> None:
        try:
            async with aclosing(source):
                async for item in source:
                    queue.put((item,))
        finally:
            queue.put(None)

    future: Future[None] = asyncio.run_coroutine_threadsafe(pump(), _loop.get())
    try:
        while (found := queue.get()) is not None:
            yield found[0]
        future.result()
    finally:
        if future.cancel():  # it has ended when this returns
            with suppress(Empty):
                while queue.get(timeout=_PATIENCE) is not None:
                    pass


class AsyncNode(Runnable[Any, Any]):
    """Run an async node, in a graph that is invoked too.

    Args:
        name: of the node.
        work: takes the state and LangGraph's runtime.
        blocking: what does the same in a graph that is invoked; None takes `work`.
    """

    def __init__(self, name: str, work: Work, blocking: Work | None = None) -> None:
        self.name = name
        self._work = work
        self._blocking = blocking or work

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:
        """Return the update of the state, or also where to go."""
        return await self._work(input, get_runtime())

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:
        """Return the same, from a thread of LangGraph."""
        context, runtime = copy_context(), get_runtime()
        if runtime.store is not None:
            runtime = runtime.override(store=AwaitableStore(runtime.store))
        context.run(_await_checkpoints)
        return run(_coroutine(self._blocking(input, runtime)), context)


def blocking_task(work: Callable[..., Awaitable[T]]) -> Callable[..., T]:
    """Return `work` as a function that blocks, as a task of a graph that is invoked must be."""

    def task(*arguments: Any) -> T:
        context = copy_context()
        context.run(_await_checkpoints)
        return run(_coroutine(work(*arguments)), context)

    return task


async def _listed(source: AsyncGenerator[T]) -> list[T]:
    async with aclosing(source):
        return [item async for item in source]


async def _coroutine(work: Awaitable[T]) -> T:
    return await work


def _await_checkpoints() -> None:
    """Let graphs inside this node, which are awaited, use a checkpointer that may only block."""
    config = var_child_runnable_config.get() or {}
    own = {
        key: AwaitableSaver(value) if isinstance(value, BaseCheckpointSaver) else value
        for key, value in config.get("configurable", {}).items()
    }
    var_child_runnable_config.set({**config, "configurable": own})


class AwaitableSaver(BaseCheckpointSaver[Any]):
    """Await a checkpointer that may only block, in threads.

    Args:
        saver: any checkpointer; its blocking methods are used.

    Attributes:
        awaited: that one.
    """

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(serde=saver.serde)
        self.awaited = saver
        for name in ("get_tuple", "put", "put_writes", "delete_thread", "get_delta_channel_history"):
            blocking = getattr(saver, name)
            setattr(self, name, blocking)
            setattr(self, f"a{name}", partial(asyncio.to_thread, blocking))
        self.list = saver.list  # type: ignore[method-assign]
        self.get_next_version = saver.get_next_version  # type: ignore[method-assign]

    async def alist(self, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        """Yield checkpoints."""
        for found in await asyncio.to_thread(lambda: list(self.awaited.list(*arguments, **options))):
            yield found

    def with_allowlist(self, extra_allowlist: Any) -> AwaitableSaver:
        """Return the same, of a saver that reads these types too."""
        return AwaitableSaver(self.awaited.with_allowlist(extra_allowlist))


class AwaitableStore(BaseStore):
    """Await a store that may only block, in threads."""

    def __init__(self, store: BaseStore) -> None:
        self._store = store
        self.supports_ttl, self.ttl_config = store.supports_ttl, store.ttl_config

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do the operations."""
        return self._store.batch(ops)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do the operations."""
        return await asyncio.to_thread(self._store.batch, list(ops))


class _Loop:
    """Hold an event loop in a thread of its own, which starts when it is needed and ends with the process."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None or self._thread is None or not self._thread.is_alive():  # or after a fork
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="octopus-blocking", daemon=True
                )
                self._thread.start()
                atexit.register(self._end, self._loop, self._thread)
            return self._loop

    def is_here(self) -> bool:
        return threading.current_thread() is self._thread

    @staticmethod
    def _end(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        """Cancel what is still there, so that it closes what it opened; as `asyncio.run` does."""
        if thread.is_alive():  # not in a fork
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(_cancel_others(), loop).result(_PATIENCE)


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


_loop = _Loop()
