"""`octopus serve` as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.api.keys import read_keys


def octopus(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.cli", "serve", *arguments]
    given = {**os.environ, "OCTOPUS_HOME": str(home), **environment}
    return subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=60)


def test_a_public_address_without_a_key_is_refused(tmp_path: Path) -> None:
    done = octopus(tmp_path, "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert "octopus: '0.0.0.0' can be reached from other machines, and no API key is set." in done.stderr


def test_an_unknown_graph_is_refused(tmp_path: Path) -> None:
    done = octopus(tmp_path, "--graph", "attic", "--port", "0")
    assert (done.returncode, "there is no graph 'attic'" in done.stderr) == (2, True)


def test_a_new_key(tmp_path: Path) -> None:
    done = octopus(tmp_path, "--new-key", "alice")
    key, entry = (line.split()[-1] for line in done.stdout.splitlines())
    (caller,) = read_keys(entry).values()
    assert caller.name == "alice"
    assert key.startswith("octopus-")


@pytest.mark.parametrize("module", ["app.server", "app.openai_api"])
def test_nothing_happens_at_import(module: str) -> None:
    code = (
        "import sys, threading\n"
        "sys.addaudithook(lambda event, _: sys.exit(event) if event in ('socket.connect', 'sqlite3.connect') else None)\n"
        f"import {module}; print(threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("1", "")
