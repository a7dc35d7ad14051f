"""Train words beside an encoder: they count where they help, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from training.router.lexical import HeldOut, train_lexical
from training.rows.labelled_rows import Labelled, RouterRow, fold_of

SUBJECTS = {"garden": "Wann pflanzt man die {} im Garten?", "kitchen": "Wie lange kocht man die {} im Topf?"}
THINGS = [
    f"{first}{second}" for first in ("Rüben", "Bohnen", "Kraut", "Lauch", "Mais") for second in "abcdefgh"
]


def rows() -> list[RouterRow]:
    return [
        RouterRow(query=text.format(thing), node=node) for thing in THINGS for node, text in SUBJECTS.items()
    ]


def held_out(data: Labelled, sure: float) -> tuple[HeldOut, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """An encoder that gives every right neighbour the probability `sure`."""
    folds = fold_of(data.rows, 2, 0)
    own = np.flatnonzero(folds == 0)
    found = np.full((len(own), 2), 1 - sure)
    found[np.arange(len(own)), data.owner[data.labels[own]]] = sure
    return HeldOut(0, own.tolist(), found), folds


def test_words_help_an_encoder_that_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.router.lexical._LEAST_TEXTS", 20)
    data = Labelled.of(rows())
    part, folds = held_out(data, 0.5)
    words = train_lexical(data, folds, [part])
    assert words is not None
    assert words.shares[0] > 0.5
    assert words.shares[1] == 0  # no text without spaces
    assert words.nodes[int(words.probabilities("Wie lange kocht man Reis?").argmax())] == "kitchen"


def test_words_do_not_count_beside_an_encoder_that_knows_all() -> None:
    data = Labelled.of(rows() * 2)
    part, folds = held_out(data, 0.9999)
    words = train_lexical(data, folds, [part])
    assert words is not None
    assert words.shares[0] == 0


def test_on_few_texts_no_share_is_chosen() -> None:
    data = Labelled.of(rows())
    part, folds = held_out(data, 0.5)
    words = train_lexical(data, folds, [part])
    assert words is not None
    assert words.shares[0] == 0


def test_english_alone_trains_no_words() -> None:
    data = Labelled.of(
        [RouterRow(query=f"When is the {name} planted?", node=name) for name in ("leek", "pea")] * 4
    )
    assert train_lexical(data, fold_of(data.rows, 2, 0), []) is None
