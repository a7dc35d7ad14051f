"""Test the count of changes of file on a program of two files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from evaluation.labs.call_trace import count_changes, summarise, trace_calls, trace_question

BELOW = """
import asyncio

class Counter:
    size = [k for k in range(3)]

    def step(self):
        return sorted(self.size, key=lambda k: -k)

async def wait():
    await asyncio.sleep(0)
    await asyncio.sleep(0)
"""
ABOVE = """
import asyncio

async def run(counter, wait):
    started = asyncio.create_task(wait())
    counter.step()
    await asyncio.to_thread(counter.step)
    helper()
    await started

def helper():
    pass
"""


@pytest.fixture
def program(tmp_path: Path) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    (tmp_path / "below.py").write_text(BELOW)
    (tmp_path / "above.py").write_text(ABOVE)
    return tmp_path, run_path(str(tmp_path / "below.py")), run_path(str(tmp_path / "above.py"))


def test_entries_of_functions_are_seen_in_all_threads(
    program: tuple[Path, dict[str, Any], dict[str, Any]],
) -> None:
    folder, below, above = program
    files = trace_calls(lambda: asyncio.run(above["run"](below["Counter"](), below["wait"])), [folder])
    names = [Path(file).stem for file in files]
    # `wait` starts when `run` first gives way, and is not counted again when it resumes.
    assert sorted(names) == ["above"] * 2 + ["below"] * 3
    assert count_changes(names) == {("above", "below"): 1, ("below", "above"): 1}


def test_only_the_folders_are_traced(
    program: tuple[Path, dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    _, below, _ = program
    assert trace_calls(below["Counter"]().step, [tmp_path / "elsewhere"]) == []


def test_the_summary_names_pairs_and_files() -> None:
    said = summarise(["a.py", "b.py", "b.py", "a.py", "c.py"])
    assert said.startswith("3 changes of file in 5 calls, 3 files")
    assert "     2 a.py ~ b.py" in said
    assert "     3 a.py\n" in said


def test_a_question_is_followed_into_the_tools(capsys: pytest.CaptureFixture[str]) -> None:
    files = trace_question("What is 17 * 23?")
    assert "391" in capsys.readouterr().out
    assert any(file.startswith("tools/") for file in files)
    assert count_changes(files).total() < len(files) / 2
