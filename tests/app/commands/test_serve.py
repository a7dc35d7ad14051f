"""`octopus serve`: what it refuses, keys, and that its import does nothing."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import main
from app.server.api_keys import read_keys

Serve = Callable[..., tuple[int, str, str]]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Serve:
    """Runs the command in this process; gives exit code, output and errors."""
    monkeypatch.setenv("OCTOPUS_HOME", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["octopus", "serve", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    return run


def test_a_public_address_without_a_key_is_refused(serve: Serve) -> None:
    code, _, said = serve("--host", "0.0.0.0", "--port", "0")
    assert code == 2
    assert "octopus: '0.0.0.0' can be reached from other machines, and no API key is set." in said


def test_an_unknown_graph_is_refused(serve: Serve) -> None:
    code, _, said = serve("--graph", "attic", "--port", "0")
    assert (code, "there is no graph 'attic'" in said) == (2, True)


def test_a_port_in_use_is_refused_before_anything_is_opened(serve: Serve, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, said = serve("--port", str(port))
    assert code == 2
    assert said == f"octopus: port {port} is taken on 127.0.0.1; choose another with --port.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_new_key(serve: Serve) -> None:
    _, said, _ = serve("--new-key", "alice")
    key, entry = (line.split()[-1] for line in said.splitlines())
    (caller,) = read_keys(entry).values()
    assert caller.name == "alice"
    assert key.startswith("octopus-")


def test_nothing_happens_at_import() -> None:
    code = (
        "import sys, threading\n"
        "opened = ('socket.connect', 'sqlite3.connect')\n"
        "sys.addaudithook(lambda event, _: sys.exit(event) if event in opened else None)\n"
        "import app.server.application; print(threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("1", "")
