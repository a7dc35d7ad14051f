"""Test that the tasks' descriptions are complete and that their rows are what they say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from agents.errors import InputError
from evaluation.task import TASKS, load_task
from training.router.follow_ups import DIALOGUES
from training.rows.labelled_rows import read_json_lines
from training.rows.mmlu import SUBJECTS

NAMES = sorted(path.stem for path in TASKS.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_task_has_version_citation_and_licence(name: str) -> None:
    task = load_task(name)
    assert task.name == name
    assert task.version >= 1
    assert task.citation
    assert task.licence


@pytest.mark.parametrize("name", ["natural", "languages"])
def test_our_own_rows_name_nodes_of_mmlu(name: str) -> None:
    assert {row["node"] for row in load_task(name).rows()} <= SUBJECTS.keys()


def test_natural_queries_are_forty_of_each_kind() -> None:
    task = load_task("natural")
    assert Counter(task.kinds[row["node"]] for row in task.rows()) == dict.fromkeys(task.kinds.values(), 40)


def test_the_sealed_dialogues_share_nothing_with_those_to_train_on() -> None:
    sealed = {turn for row in load_task("dialogues").rows() for turn in row["turns"]}
    training = {turn for _, row in read_json_lines(DIALOGUES) for turn in row["turns"]}
    shared = {turn for turn in sealed & training if len(turn) > 40}
    assert not shared
    assert all(len(row["turns"]) == len(row["nodes"]) for row in load_task("dialogues").rows())


def test_missing_data_and_columns_are_named(data: Path) -> None:
    with pytest.raises(InputError, match="'mmlu' finds no mmlu/test") as caught:
        load_task("mmlu").rows(data / "nothing")
    assert "hendrycks" in (caught.value.hint or "")
    with pytest.raises(InputError, match="no data folder"):
        load_task("bfcl").rows()
    (data / "mmlu" / "test_b.jsonl").write_text('{"subject": "law", "question": "?"}\n')
    with pytest.raises(InputError, match=r"test_b.jsonl:1: the row has no 'choices'"):
        load_task("mmlu").rows(data)


def test_an_unknown_task_is_answered_with_those_there_are() -> None:
    with pytest.raises(InputError) as caught:
        load_task("nonsense")
    assert "dialogues" in (caught.value.hint or "")
