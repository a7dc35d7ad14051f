"""The `octopus` command in this process, a small graph, and a model on loopback for all its workers."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from app.cli import main
from tests.loopback import ChatServer, serving

SMALL = """\
name: small
masters:
  chief: {neighbours: [cooking, cars], generalist: cooking}
workers:
  cooking: {description: "Recipes, and how to cook and bake food."}
  cars: {description: "Cars, engines, tyres and repairs."}
"""


class Result(NamedTuple):
    code: int
    out: str
    err: str


Octopus = Callable[..., Result]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Threads and caches of one file of tests."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def octopus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path) -> Octopus:
    """Runs the command."""
    monkeypatch.setenv("OCTOPUS_HOME", str(home))

    def run(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", ["octopus", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return Result(code, *capsys.readouterr())

    return run


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A graph of two workers."""
    (tmp_path / "small.yaml").write_text(SMALL)
    return tmp_path / "small.yaml"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """The model of all workers."""
    with serving(ChatServer()) as chat:
        monkeypatch.setenv("OCTOPUS_MODEL", f"openai:tiny@{chat.url}")
        yield chat
