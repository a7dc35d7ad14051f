"""The sandbox: limits, restarts, cancelling, threads, and what can be called."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tools.declaration import ToolError, ToolTimeoutError
from tools.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
HARD = {"expression": "sqrt(sin(x)^3 + cos(x)^5 + tan(x)) * ln(x^3 + sin(x))"}
CUBE = {"expression": "x^3", "at": "2"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seconds=1.0) as one:
        yield one


async def test_calls_a_function(sandbox: Sandbox) -> None:
    assert await sandbox.call("calculus.derivative", CUBE) == 12


@pytest.mark.timeout(60)  # less than the integral takes
def test_a_hard_call_is_stopped_and_the_next_one_works(sandbox: Sandbox) -> None:
    sandbox.call_sync("calculus.derivative", CUBE)
    with pytest.raises(ToolTimeoutError, match=r"calculus.integral took longer than 1 seconds"):
        sandbox.call_sync("calculus.integral", HARD)
    assert sandbox.call_sync("calculus.derivative", CUBE) == 12


def test_memory_is_limited() -> None:
    with Sandbox(memory_bytes=40 << 20) as small, pytest.raises(ToolError):
        small.call_sync("calculus.derivative", CUBE)  # SymPy alone needs more


@pytest.mark.parametrize(
    "name", ["os.system", "calculus.numeric", "calculus.derivative.__call__", "", "__main__.main"]
)
def test_only_registered_functions_are_called(sandbox: Sandbox, name: str) -> None:
    with pytest.raises(ToolError, match="There is no"):
        sandbox.call_sync(name, {})


def test_a_wrong_argument_is_refused_and_the_worker_lives(sandbox: Sandbox) -> None:
    with pytest.raises(ToolError, match="could not be computed"):
        sandbox.call_sync("calculus.derivative", {"formula": "x"})
    assert sandbox.call_sync("calculus.derivative", CUBE) == 12


def test_long_arguments_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ToolError, match="give less data"):
        sandbox.call_sync("calculus.derivative", {"expression": "1+" * 5_000_000 + "1"})


@pytest.mark.timeout(60)  # less than the integral takes
async def test_cancelling_stops_the_call() -> None:
    with Sandbox(seconds=3_600) as slow:
        await slow.call("calculus.derivative", CUBE)
        task = asyncio.create_task(slow.call("calculus.integral", HARD))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await slow.call("calculus.derivative", CUBE) == 12


def test_threads_share_a_sandbox(sandbox: Sandbox) -> None:
    def square(value: int) -> object:
        return sandbox.call_sync("arithmetic.evaluate", {"calculation": f"{value} * {value}"})

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(square, range(20))) == [value * value for value in range(20)]


@pytest.mark.timeout(60)
def test_the_worker_ends_with_its_parent() -> None:
    script = (
        "import os; from tools.sandbox import Sandbox\n"
        "Sandbox().call_sync('arithmetic.evaluate', {'calculation': '1 + 1'})\n"
        "print(open(f'/proc/self/task/{os.getpid()}/children').read(), flush=True)\n"
        "os._exit(0)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    while Path(f"/proc/{int(run.stdout)}").exists():
        time.sleep(0.05)
