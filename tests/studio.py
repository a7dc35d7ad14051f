"""`langgraph dev` on loopback, kept from reaching anything else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.loopback import free_port

ROOT = Path(__file__).parents[1]
# Read at the start of every Python below: what would leave loopback is written down and refused.
_GUARD = """\
import os, socket, sys

HERE = (None, "localhost", "127.0.0.1", "::1", b"127.0.0.1")

def guard(event, given):
    if event == "socket.getaddrinfo" and given[0] not in HERE:
        refuse(f"name {given[0]!r}")
    if event == "socket.connect" and given[0].family in (socket.AF_INET, socket.AF_INET6):
        if given[1][0] not in ("127.0.0.1", "::1"):
            refuse(f"address {given[1]!r}")

def refuse(what):
    with open(os.environ["GUARD_LOG"], "a") as log:
        log.write(what + "\\n")
    raise PermissionError(f"no way out: {what}")

sys.addaudithook(guard)
"""
QUIET = {
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGGRAPH_NO_VERSION_CHECK": "1",
    "LANGSMITH_TRACING": "false",
}


@contextmanager
def developing(project: Path, home: Path, **environment: str) -> Iterator[str]:
    """The url of `python -m langgraph_cli dev` in `project`, as `make dev` runs it.

    Every try to reach something beyond loopback is in `home/guard.log`.
    """
    pytest.importorskip("langgraph_api")
    (home / "sitecustomize.py").write_text(_GUARD)
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "langgraph_cli",
        "dev",
        "--no-browser",
        "--no-reload",
        "--port",
        str(port),
    ]
    given = {
        **os.environ,
        **QUIET,
        "OCTOPUS_HOME": str(home),
        "GUARD_LOG": str(home / "guard.log"),
        "PYTHONPATH": os.pathsep.join([str(home), str(ROOT)]),
        **environment,
    }
    said = (home / "dev.log").open("wb")
    with said, subprocess.Popen(command, cwd=project, env=given, stdout=said, stderr=said) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(1200):
                assert server.poll() is None, (home / "dev.log").read_text()[-3000:]
                try:
                    if httpx.get(f"{address}/ok", trust_env=False).status_code == 200:
                        break
                except httpx.HTTPError:
                    time.sleep(0.1)
            yield address
        finally:
            server.terminate()
