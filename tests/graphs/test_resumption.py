"""A process that is killed at any hop goes on there; workers that had finished do not run again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest


def walk(folder: Path, question: str, victim: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.graphs.mortal", str(folder / "t.sqlite"), str(folder / "calls")]
    return subprocess.run([*command, question, victim], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("victim", ["a", "b", "c", "d"])
def test_a_chain_goes_on_at_the_hop_where_it_was_killed(victim: str, tmp_path: Path) -> None:
    assert walk(tmp_path, "chain a?", victim).returncode == -signal.SIGKILL
    done = walk(tmp_path, "chain a?", victim)
    assert done.stdout.splitlines() == ["a b c d", "d answered"], done.stderr
    calls = (tmp_path / "calls").read_text().split()
    assert calls == sorted(["a", "b", "c", "d", victim])


@pytest.mark.parametrize("victim", ["b", "d"])
def test_the_branch_that_had_finished_does_not_run_again(victim: str, tmp_path: Path) -> None:
    question = "What is b? And what is d?"
    assert walk(tmp_path, question, victim).returncode == -signal.SIGKILL
    done = walk(tmp_path, question, victim)
    hops, answer = done.stdout.splitlines()
    assert sorted(hops.split()) == ["b", "d"], done.stderr
    assert answer.index("b answered") < answer.index("d answered")
    calls = (tmp_path / "calls").read_text().split()
    assert sorted(calls) == sorted(["b", "d", victim])
