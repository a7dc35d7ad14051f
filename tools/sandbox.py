"""Call tools in a worker process that can be killed, with limits on time and memory.

The worker is `python -m tools.sandbox_worker`. It reads calls and answers them as JSON lines. It never
imports the main program, and only functions of the registry can be called.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.declaration import ToolError, ToolTimeoutError

MAX_REQUEST_CHARACTERS = 64_000
_START_SECONDS = 60.0


class Sandbox:
    """Run calls in one worker process, which is started on first use and again after it was killed.

    Threads and tasks may share a sandbox: their calls run one after another.

    Args:
        seconds: the limit of one call, without the start of the process and the import of libraries.
        memory_bytes: the limit of the worker's address space, where the system has one.
    """

    def __init__(self, seconds: float = 5.0, memory_bytes: int = 2 << 30) -> None:
        self.seconds = seconds
        self.memory_bytes = memory_bytes
        self._turn = threading.Lock()
        self._worker: _Worker | None = None

    def start(self, *libraries: str) -> None:
        """Start the worker and let it import libraries that functions declare; do not wait for it."""
        # A worker that has just ended is replaced by the next call.
        with self._turn, contextlib.suppress(OSError):
            self._running().send(json.dumps({"import": libraries}))

    def close(self) -> None:
        """End the worker. The next call starts another."""
        with self._turn:
            self._stop()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call a function of the registry and return its result, a JSON value.

        When the task is cancelled, the call is stopped too.

        Args:
            name: `subject.function`.
            arguments: JSON values by parameter name.

        Raises:
            ToolError: with the function's own text when it refuses, or when memory or the worker gave out.
            ToolTimeoutError: when the call was stopped at the time limit.
        """
        ticket = _Ticket()
        try:
            return await asyncio.to_thread(self.call_sync, name, arguments, ticket)
        except asyncio.CancelledError:
            ticket.cancel()
            raise

    def call_sync(self, name: str, arguments: Mapping[str, Any], ticket: _Ticket | None = None) -> Any:
        """Call a function as `call` does, for code without an event loop."""
        request = json.dumps({"call": name, "arguments": dict(arguments)})
        if len(request) > MAX_REQUEST_CHARACTERS:
            raise ToolError(f"The arguments of {name!r} have {len(request)} characters: give less data.")
        with self._turn:
            worker = self._running()
            with (ticket or _Ticket()).on(worker):
                reply = self._exchange(worker, name, request)
        if "error" in reply:
            raise ToolError(reply["error"])
        return reply["result"]

    def _exchange(self, worker: _Worker, name: str, request: str) -> dict[str, Any]:
        try:
            worker.send(request)
            worker.receive(_START_SECONDS)  # its libraries are imported
            return worker.receive(self.seconds)
        except TimeoutError as error:
            self._stop()
            raise ToolTimeoutError(
                f"{name} took longer than {self.seconds:g} seconds and was stopped."
            ) from error
        except OSError as error:
            self._stop()
            raise ToolError(f"{name} was stopped: {error}") from error
        except BaseException:
            self._stop()  # a reply may still come: it must not be taken for that of the next call
            raise

    def _running(self) -> _Worker:
        if self._worker is None or not self._worker.is_alive():
            self._stop()
            self._worker = _Worker(self.seconds, self.memory_bytes)
        return self._worker

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


class _Worker:
    """Hold the process with its two pipes."""

    def __init__(self, seconds: float, memory_bytes: int) -> None:
        paths = [str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "OMP_NUM_THREADS": "1",  # each thread of a linear-algebra library takes address space
            "OPENBLAS_NUM_THREADS": "1",
        }
        # -P: a file of the current directory must not stand in for a module of ours.
        command = [sys.executable, "-P", "-m", "tools.sandbox_worker", str(seconds), str(memory_bytes)]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the parent alone
        )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def receive(self, seconds: float) -> dict[str, Any]:
        """Read the next reply; raise TimeoutError when it is late, ConnectionError if the worker ended."""
        assert self._process.stdout is not None
        late = threading.Event()

        def stop() -> None:
            late.set()
            self.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if late.is_set():
            raise TimeoutError
        if not line:
            raise ConnectionError("the worker process ended, perhaps out of memory")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()


class _Ticket:
    """Let a call be cancelled from another thread, before or while it runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._cancelled = False

    @contextlib.contextmanager
    def on(self, worker: _Worker) -> Iterator[None]:
        with self._lock:
            if self._cancelled:
                raise ToolError("The call was cancelled.")
            self._worker = worker
        try:
            yield
        finally:
            with self._lock:
                self._worker = None

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._worker is not None:
                self._worker.kill()
