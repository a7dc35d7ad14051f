"""Show ways to use the graph from elsewhere.

Each module says how it is run, from the root of the repository with `.venv/bin/python`, and a test runs it.
"""

from __future__ import annotations

import os
import socket
import sys
from urllib.parse import urlsplit


def arguments(usage: str, least: int, server: str = "") -> list[str]:
    """Return the command line's arguments.

    It exits where there are less than `least`, or where no `server` answers at the URL that comes first.
    """
    given = sys.argv[1:]
    if len(given) < least:
        sys.exit(f"usage: python -m examples.{usage}")
    if server:
        url = urlsplit(given[0])
        try:
            port = url.port or {"https": 443}.get(url.scheme, 80)
            socket.create_connection((url.hostname or "", port), timeout=5).close()
        except (OSError, ValueError):
            sys.exit(f"no server at {given[0]}: start {server}")
    return given


def headers() -> dict[str, str]:
    """Return what a server with keys asks for."""
    key = os.environ.get("OCTOPUS_API_KEY")
    return {"Authorization": f"Bearer {key}"} if key else {}
