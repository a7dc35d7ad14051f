"""Train functional tokens, also after a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.errors import InputError
from agents.octopus.causal.manifest import read_manifest
from agents.types import NodeName
from tests.training.causal.subjects import ROWS, master, settings, train
from training.rows.labelled_rows import RouterRow

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


def test_it_answers_in_an_assembled_graph(folder: Path) -> None:
    from agents.octopus.causal.octopus import CausalOctopus
    from app.settings import Settings
    from graphs.assembly import assemble, find_spec

    octopus = assemble(find_spec("subjects"), Settings.read(), artifact=folder).routing.octopus(
        NodeName("octopus")
    )
    assert isinstance(octopus, CausalOctopus)
    route = octopus.decide(["What is the derivative of x^2?"])
    assert route.calibrated
    assert len(route.choices) == 8


def test_a_base_that_was_made_differently_is_refused(folder: Path) -> None:
    for named, said in (
        ({"base": "someone/else"}, r"made with --tiny --slots 8, not with --base someone/else --slots 8"),
        ({"slots": 9}, r"made with --tiny --slots 8, not with --tiny --slots 9"),
    ):
        with pytest.raises(InputError, match=said):
            train(folder, "other", **named)


def test_a_base_that_does_not_say_what_it_is_made_of_is_taken_as_it_is(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    shutil.copytree(folder, out)
    note = out / "base" / "baked.json"
    baked = json.loads(note.read_text())
    del baked["base"]  # as older versions wrote it
    note.write_text(json.dumps(baked))
    train(out, "other", base="someone/else")
    assert "Base: a tiny Qwen3" in (folder / "README.md").read_text()
    assert "Base: one whose name was not kept" in (out / "README.md").read_text()


def test_continuing_ends_with_the_same_numbers(folder: Path, tmp_path: Path) -> None:
    """Interrupt each phase, after a checkpoint that is older than the last step."""

    def break_off(at: tuple[str, int]) -> Any:
        def report(phase: str, step: int, figures: dict[str, float]) -> None:
            if (phase, step) == at:
                raise KeyboardInterrupt

        return report

    for at in (("base", 6), ("adapter", 4)):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, report=break_off(at))
    train(tmp_path)
    for name in ("metrics.json", "octopus.json", "base/model.safetensors"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_another_training_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    def stop(phase: str, step: int, figures: dict[str, float]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, report=stop)
    with pytest.raises(InputError, match="other rows or settings"):
        train(tmp_path, seed=1)


@pytest.mark.parametrize(("rows", "held_out"), [([], ROWS[:1]), (ROWS[:1], [])])
def test_without_rows_to_train_or_to_measure_on_nothing_is_made(
    tmp_path: Path, rows: list[RouterRow], held_out: list[RouterRow]
) -> None:
    from training.causal.functional_tokens import train_functional_tokens

    with pytest.raises(InputError, match="are too few"):
        train_functional_tokens(rows, held_out, master=master(), out=tmp_path / "out", settings=settings())
    assert not (tmp_path / "out").exists()


@pytest.mark.accept
@pytest.mark.timeout(1200)
def test_a_killed_command_continues_to_the_same_numbers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.cli", "train", "functional-tokens", "--tiny", "--base-steps", "30"]
    command += ["--steps", "20", "--batch", "4", "--save-every", "5", "--out"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([*command, str(tmp_path / "whole")], env=environment, check=True, capture_output=True)
    state = tmp_path / "killed" / "checkpoint" / "state.pt"
    for kill in range(2):
        process = subprocess.Popen(
            [*command, str(tmp_path / "killed")],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        before = state.stat().st_mtime_ns if state.exists() else 0
        while process.poll() is None and not (state.exists() and state.stat().st_mtime_ns > before):
            time.sleep(0.02)
        assert process.poll() is None, f"it ended before kill {kill}"
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run([*command, str(tmp_path / "killed")], env=environment, check=True, capture_output=True)
    whole, killed = (
        json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("whole", "killed")
    )
    assert killed == whole
    assert np.isfinite(whole["masters"]["octopus"]["route"])


@pytest.mark.accept
@pytest.mark.timeout(7200)
def test_the_documented_command_learns_eight_nodes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.cli", "train", "functional-tokens", "--graph", "subjects", "--tiny"]
    subprocess.run([*command, "--out", str(tmp_path)], check=True, capture_output=True)
    figures = read_manifest(tmp_path).masters[NodeName("octopus")].metrics
    assert figures["route"] >= 0.98
    assert figures["exact"] >= 0.95
