"""A TCP connection on loopback that can be cut, as a cable is."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Wire:
    """Passes bytes between clients and a server, until it is cut; mended, it takes new clients.

    Attributes:
        url: for clients.
    """

    def __init__(self, target: str) -> None:
        host, port = target.removeprefix("http://").split(":")
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._whole = threading.Event()
        self._whole.set()
        self._ended = threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """Break all connections and refuse new ones."""
        self._whole.clear()

    def mend(self) -> None:
        """Take connections again."""
        self._whole.set()

    def end(self) -> None:
        """Stop for good."""
        self._ended.set()
        self.cut()

    def serve(self) -> None:
        """Take clients until the end."""
        self._listener.settimeout(0.05)
        with self._listener:
            while not self._ended.is_set():
                with contextlib.suppress(TimeoutError):
                    client, _ = self._listener.accept()
                    threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if not self._whole.is_set():
                return
            with socket.create_connection(self._target) as server, selectors.DefaultSelector() as ready:
                ready.register(client, selectors.EVENT_READ, server)
                ready.register(server, selectors.EVENT_READ, client)
                while self._whole.is_set():
                    for key, _ in ready.select(timeout=0.05):
                        data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                        if not data:
                            return
                        key.data.sendall(data)


@contextmanager
def wired(target: str) -> Iterator[Wire]:
    """A wire to the server at `target`."""
    wire = Wire(target)
    thread = threading.Thread(target=wire.serve)
    thread.start()
    try:
        yield wire
    finally:
        wire.end()
        thread.join()
