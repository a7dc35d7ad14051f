"""Test a selector over recorded answers, learnt from rows made on the spot, where who is right is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from agents.errors import ArtifactError, InputError
from agents.octopus.embedding import Encoder
from app.commands.evaluate import cli as evaluate
from app.commands.train import cli as train
from tests.evaluation.exam import recorded_rows
from training.router.recorded import SMALL_MODELS, read_recorded
from training.router.selector import SelectorSettings, cross_validated
from training.router.selector_model import load_selector


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_selector_beats_the_best_single_model_on_new_rows(tmp_path: Path) -> None:
    seen = write(tmp_path / "a.jsonl", recorded_rows(160))
    new = write(tmp_path / "b.jsonl", recorded_rows(100, seed=1))
    out = tmp_path / "selector"
    trained = CliRunner().invoke(train, ["selector", "--rows", str(seen), "--out", str(out)])
    assert trained.exit_code == 0, trained.output
    arguments = ["answers", "--recorded", str(new), "--selector", str(out), "--output", str(tmp_path)]
    arguments += ["--picks", str(tmp_path / "picks.jsonl")]
    result = CliRunner().invoke(evaluate, arguments)
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "answers-recorded.json").read_text())
    measured = figures["all rows"]["**Octopus**, one call"]
    assert figures["all rows"]["rows"] == 100 and measured["gain"]["low"] > 0.02
    picks = [json.loads(line) for line in (tmp_path / "picks.jsonl").read_text().splitlines()]
    right = [pick["one_call"] == SMALL_MODELS[k % 2] for k, pick in enumerate(picks)]
    assert len(right) == 100 and all(right) and picks[0]["question_id"].endswith("b.jsonl:1")
    assert figures["rows not from MMLU"]["rows"] == 66
    assert figures["all rows"]["oracle"]["right"] >= measured["right"]


def test_rows_that_training_saw_are_not_measured(tmp_path: Path) -> None:
    seen, out = write(tmp_path / "a.jsonl", recorded_rows(60)), tmp_path / "selector"
    assert CliRunner().invoke(train, ["selector", "--rows", str(seen), "--out", str(out)]).exit_code == 0
    arguments = ["answers", "--recorded", str(seen), "--selector", str(out)]
    result = CliRunner().invoke(evaluate, arguments)
    assert isinstance(result.exception, InputError)
    both = write(tmp_path / "both.jsonl", [*recorded_rows(60), *recorded_rows(20, seed=2)])
    result = CliRunner().invoke(evaluate, ["answers", "--recorded", str(both), "--selector", str(out)])
    assert "60 rows that it was trained on are left out" in result.output


def test_models_outside_the_pool_stand_beside_it_where_all_rows_have_them(tmp_path: Path) -> None:
    rows = recorded_rows(40)
    for number, row in enumerate(rows):
        row["responses"] |= {"big": row["answer"], "other": "A" if number else "NA"}  # type: ignore[operator]
    new = write(tmp_path / "a.jsonl", rows)
    arguments = ["answers", "--recorded", str(new), "--selector", "mmlu_pro", "--output", str(tmp_path)]
    assert CliRunner().invoke(evaluate, arguments).exit_code == 0
    figures = json.loads((tmp_path / "answers-recorded.json").read_text())["all rows"]
    assert figures["big, outside the pool"]["right"] == 1.0
    assert "other, outside the pool" not in figures  # it was not asked everything


def test_agreement_asks_no_more_than_it_must(tmp_path: Path, encoder: Encoder) -> None:
    data = read_recorded([write(tmp_path / "a.jsonl", recorded_rows(120))])
    picked = cross_validated(data, encoder.embed(data.texts), SelectorSettings(panel=3))
    right = data.right[np.arange(120), picked.agreed]
    assert right.mean() > data.right.mean(axis=0).max()
    assert picked.calls.min() >= 1 and picked.calls.mean() < 3


def test_the_one_that_ships_reads_any_rows(tmp_path: Path) -> None:
    new = write(tmp_path / "a.jsonl", recorded_rows(12))
    result = CliRunner().invoke(evaluate, ["answers", "--recorded", str(new), "--selector", "mmlu_pro"])
    assert result.exit_code == 0, result.output
    assert "trained on 7950 other rows" in result.output


def test_an_incomplete_selector_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no complete selector"):
        load_selector(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer": "Z"}, "'Z' is not a letter"),
        ({"responses": {}}, "no answer of"),
        ({"options": "yes"}, "options must be a list"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = write(tmp_path / "a.jsonl", [recorded_rows(1)[0], recorded_rows(1)[0] | change])
    with pytest.raises(InputError, match=rf"a.jsonl:2: .*{said}"):
        read_recorded([path])
