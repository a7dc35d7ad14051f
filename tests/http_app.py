"""An ASGI application on a real server on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serving_app(app: Any, **settings: Any) -> Iterator[str]:
    """Run `app` with uvicorn and its `settings` in a thread; the URL of its root."""
    import uvicorn

    usual: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "log_level": "error",
        "ws": "none",
        "lifespan": "on",
    }
    server = uvicorn.Server(uvicorn.Config(app, **(usual | settings)))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
