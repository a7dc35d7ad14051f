"""Other people's clients run their usual examples: the table of docs/serving.md, a test for each cell.

Each client is a program in an environment of its own (see loop.py), so that nothing of it is ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.server.clients.examples import EXAMPLES
from tests.app.server.live import BREAD, Live, eventually
from tests.loopback import ChatServer

HERE = Path(__file__).parent
ROOT = Path(__file__).parents[4]
TABLE = ROOT / "docs" / "serving.md"
PROGRAMS = {
    "openai": "with_openai.py",
    "LangChain": "with_langchain.py",
    "litellm": "with_litellm.py",
    "instructor": "with_instructor.py",
    "llm": "with_llm.py",
    "AI SDK": "with_ai_sdk.mjs",
}
HERE_TOO = ("openai", "LangChain")  # of the environment of the tests; the others have their own

LOST = {"litellm": ("code", "param"), "llm": ("param",)}  # what a client does not tell of an error


def cells() -> list[tuple[str, str]]:
    """The clients and examples that the table says to work together."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    head = next(row for row in rows if row[:2] == ["example", "openai"])
    found = []
    for row in rows[rows.index(head) + 2 :]:
        if len(row) != len(head):
            break
        name = row[0].rsplit("`", 2)[1]
        found += [(client, name) for client, cell in zip(head[1:], row[1:], strict=True) if cell == "✓"]
    return found


def marked(client: str, example: str) -> Any:
    marks = () if client in HERE_TOO else pytest.mark.accept
    return pytest.param(client, example, marks=marks, id=f"{client}-{example}")


class Program:
    """A client's program, running."""

    def __init__(self, client: str, live: Live) -> None:
        given = {"PYTHONPATH": str(ROOT), "BASE_URL": f"{live.url}/v1", "API_KEY": live.keys["alice"]}
        self._process = subprocess.Popen(
            command(client),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | given,
            text=True,
        )
        self.examples: list[str] = json.loads(self._line() or "[]")

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def run(self, example: str) -> Any:
        """What the client makes of an example."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{example}\n")
        self._process.stdin.flush()
        told = json.loads(self._line())
        assert "failed" not in told, told["failed"]
        return told["result"]

    def close(self) -> None:
        self._process.communicate(timeout=30)


def command(client: str) -> list[str]:
    """How a client's program is started; it is left out where its environment is missing."""
    program = HERE / PROGRAMS[client]
    if client in HERE_TOO:
        return [sys.executable, str(program)]
    if program.suffix == ".mjs":
        installed, node = Path(sys.prefix) / "ai-sdk", shutil.which("node")
        if node is None or not (installed / "node_modules").is_dir():
            pytest.skip("no AI SDK on this machine: `make accept` installs it, where npm is")
        return [node, str(shutil.copy(program, installed))]  # it finds libraries beside itself only
    found = shutil.which(client, path=f"{sys.prefix}/clients/bin{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"no {client} on this machine: `make accept` installs it")
    return [str(Path(found).parent / "python"), str(program)]


@pytest.fixture(scope="module")
def programs(_live: Live) -> Iterator[dict[str, Program]]:
    running: dict[str, Program] = {}
    yield running
    for program in running.values():
        program.close()


def running(programs: dict[str, Program], client: str, live: Live) -> Program:
    if client not in programs:
        programs[client] = Program(client, live)
    return programs[client]


def tries_of_a_turn(live: Live, chat: ChatServer) -> int:
    """How often the server asks a model that has too much to do."""
    chat.statuses = [429] * 50
    live.ask(BREAD)
    tries, chat.statuses, chat.requests = len(chat.requests), [], []
    return tries


@pytest.mark.parametrize(("client", "example"), [marked(*cell) for cell in cells()])
def test_a_client(
    client: str, example: str, programs: dict[str, Program], live: Live, chat: ChatServer
) -> None:
    script = EXAMPLES[example]
    tries = tries_of_a_turn(live, chat) if script.statuses == [429] else 1
    chat.replies, chat.statuses = list(script.replies), script.statuses * tries
    chat.delay = script.delay
    result = running(programs, client, live).run(example)
    wanted = script.result
    if isinstance(wanted, dict):
        wanted = {key: value for key, value in wanted.items() if key not in LOST.get(client, ())}
        result = {key: result.get(key) for key in wanted} if isinstance(result, dict) else result
    assert result == wanted
    assert chat.refused == []
    script.sent([body for _, body in chat.requests])
    if script.delay:  # the client gave up, and the turn with it
        assert eventually(lambda: live.metric("octopus_turns_running") == 0)


@pytest.mark.parametrize(("client", "example"), [marked(client, "all") for client in PROGRAMS])
def test_the_table_has_every_example(
    client: str, example: str, programs: dict[str, Program], live: Live
) -> None:
    told = {example for name, example in cells() if name == client}
    assert told == set(running(programs, client, live).examples)
