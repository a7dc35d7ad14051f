"""Batch requests that wait at the same time, on one worker thread."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from agents.octopus.causal.prompt import Prompt

Pick = Callable[[NDArray[np.float64]], int | None]
"""Pick, by the logits of the legal tokens, the one to write a call with; None writes none."""


@dataclass(frozen=True, slots=True)
class CallRequest:
    """Ask a causal model which functional token comes next, and for the call that begins with it.

    Attributes:
        prompt: its ids.
        adapter: folder of the master's adapter.
        legal: ids of the functional tokens that may be chosen.
        pick: decides, from their logits, which of them to go on with.
    """

    prompt: Prompt
    adapter: str | None
    legal: tuple[int, ...]
    pick: Pick


@dataclass(frozen=True, slots=True)
class CallReply:
    """Hold logits [legal], and the ids of the call if one was written, its functional token first."""

    logits: NDArray[np.float64]
    output: tuple[int, ...] | None


Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


class Batcher(Generic[Asked, Answered]):
    """Run requests from any thread or event loop, all that wait at once, never two batches at a time.

    The thread lives as long as something waits, so that an idle model holds none.

    Args:
        run: answers a batch, in order; where it raises, each of the batch is run alone and has its own error.
        most: requests in a batch.
    """

    def __init__(self, run: Callable[[Sequence[Asked]], Sequence[Answered]], most: int = 16) -> None:
        self._run = run
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Asked, Future[Answered]]] = deque()
        self._running = False

    def submit(self, requests: Sequence[Asked]) -> list[Future[Answered]]:
        """Return a future for each of `requests`."""
        added: list[tuple[Asked, Future[Answered]]] = [(request, Future()) for request in requests]
        with self._lock:
            self._waiting.extend(added)
            start, self._running = not self._running, True
        if start:
            threading.Thread(target=self._serve, name="octopus-batches", daemon=True).start()
        return [future for _, future in added]

    def ask(self, requests: Sequence[Asked]) -> list[Answered]:
        """Return the answers; blocking."""
        return [future.result() for future in self.submit(requests)]

    async def ask_async(self, requests: Sequence[Asked]) -> list[Answered]:
        """Return the answers; a cancelled request is left out of the batch if it has not begun."""
        return list(await asyncio.gather(*map(asyncio.wrap_future, self.submit(requests))))

    def _serve(self) -> None:
        while batch := self._next():
            wanted = [(asked, future) for asked, future in batch if future.set_running_or_notify_cancel()]
            if wanted:
                self._answer(wanted)

    def _answer(self, wanted: Sequence[tuple[Asked, Future[Answered]]]) -> None:
        try:
            answers = self._run([asked for asked, _ in wanted])
            for (_, future), answer in zip(wanted, answers, strict=True):
                future.set_result(answer)
        except BaseException as error:
            left = [(asked, future) for asked, future in wanted if not future.done()]
            if len(wanted) == 1 or not isinstance(error, Exception):
                for _, future in left:
                    future.set_exception(error)
            else:  # one request's fault is not the others'
                for one in left:
                    self._answer([one])

    def _next(self) -> list[tuple[Asked, Future[Answered]]]:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            self._running = bool(batch)
            return batch
