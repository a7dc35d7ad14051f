"""What the examples were called with; they run from the root of the repository, with `.venv/bin/python`."""

from __future__ import annotations

import socket
import sys
from urllib.parse import urlsplit


def arguments(usage: str, least: int, server: str = "") -> list[str]:
    """What was given; with less than `least`, or no `server` at the url that comes first, it ends."""
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
