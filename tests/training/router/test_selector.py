"""Fit and poll selectors; evaluation compares them with other ways to pick a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.errors import ArtifactError, InputError
from training.router.recorded import RecordedAnswers
from training.router.selector import SelectorSettings, folds_of, panel_of
from training.router.selector_model import (
    SILENT,
    Selector,
    SelectorManifest,
    digests,
    load_selector,
    save_selector,
)


def selector(votes: list[list[float]]) -> Selector:
    """Know one category, and three models of which the first is expected to be right most often."""
    return Selector(
        category_vectors=np.zeros((1, 2)),
        category_bias=np.zeros(1),
        accuracy=np.array([[0.9, 0.5, 0.1]]),
        centre=np.zeros(2),
        slopes=np.zeros((3, 2)),
        votes=np.array(votes),
        seen=digests(["a", "b"]),
    )


def answers(given: list[list[int]], texts: list[str] | None = None) -> RecordedAnswers:
    count = len(given)
    return RecordedAnswers(
        ("x", "y", "z"),
        texts or [f"question {k}" for k in range(count)],
        ["any"] * count,
        np.zeros(count, dtype=np.int64),
        np.array(given, dtype=np.int64),
        [""] * count,
        list(range(count)),
    )


@pytest.mark.parametrize(
    ("given", "picked", "calls"),
    [
        ([1, 2, 2], 0, 1),  # the first weighs more than both others together
        ([SILENT, 2, 1], 1, 3),  # the others weigh the same, and the first of them wins
        ([SILENT, SILENT, 1], 2, 3),
        ([SILENT, SILENT, SILENT], 0, 3),  # the one that would be asked alone is of the panel
    ],
)
def test_no_more_are_asked_than_can_change_the_outcome(given: list[int], picked: int, calls: int) -> None:
    own = selector([[3.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    found, asked = own.agree(np.zeros((1, 2)), np.array([given]), [0, 1, 2])
    assert (int(found[0]), int(asked[0])) == (picked, calls)


def test_a_silent_panel_costs_one_more_call_for_a_model_outside_it() -> None:
    own = selector([[1.0, 0.0], [1.0, 0.0]])
    found, asked = own.agree(np.zeros((1, 2)), np.full((1, 3), SILENT), [1, 2])
    assert (int(found[0]), int(asked[0])) == (0, 3)
    assert own.choose(np.zeros((1, 2))).tolist() == [0]


def test_the_same_question_is_always_in_the_same_fold() -> None:
    data = answers([[0, 0, 1]] * 8, texts=["A?", "b", "c", "d", "e", "f", " a? ", "B"])
    folds = folds_of(data, SelectorSettings(folds=3))
    assert folds[0] == folds[6] and folds[1] == folds[7]
    assert set(folds.tolist()) == {0, 1, 2}
    with pytest.raises(InputError, match="6 different questions are too few for 4 folds"):
        folds_of(data, SelectorSettings(folds=4))


def test_the_panel_is_of_those_that_are_right_most_often() -> None:
    assert panel_of(answers([[1, 0, 0], [0, 0, 1], [1, 0, 0]]), 2) == [1, 2]


def test_what_is_saved_is_read_back_and_what_was_changed_is_refused(tmp_path: Path) -> None:
    own = selector([[3.0, 0.5], [1.0, 0.25], [1.0, 0.0]])
    manifest = SelectorManifest(
        models=["x", "y", "z"], categories=["any"], panel=[0, 1, 2], training={"rows": 2}, metrics={}
    )
    save_selector(tmp_path, own, manifest)
    loaded, about = load_selector(tmp_path)
    np.testing.assert_array_equal(loaded.votes, own.votes)
    np.testing.assert_array_equal(loaded.seen, own.seen)
    assert about.model_copy(update={"sha256": ""}) == manifest
    tensors = tmp_path / "selector.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtifactError, match="not the file"):
        load_selector(tmp_path)
