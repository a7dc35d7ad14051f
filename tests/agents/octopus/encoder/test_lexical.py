"""Words beside an encoder: what is a piece, and what it changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.octopus.encoder.artifact import MasterManifest, TrainedMaster, load_artifact, save_artifact
from agents.octopus.encoder.lexical import BUCKETS, Lexical, pieces, pooled, unspaced
from agents.types import NodeName

NODES = (NodeName("kitchen"), NodeName("garden"))


def lexical(text: str, *, shares: tuple[float, float] = (0.5, 0.5)) -> Lexical:
    """Words of which those of `text` speak for the garden."""
    table = np.zeros((BUCKETS, 2), dtype=np.int8)
    table[pieces(text)[0], 1] = 100
    return Lexical(
        NODES, table, np.full(2, 0.05, np.float32), np.zeros(2, np.float32), np.array(shares, np.float32)
    )


@pytest.mark.parametrize(
    ("text", "same", "shared"),
    [
        ("Tulpen", "TULPEN", True),
        ("Tulpen pflanzen", "Tulpenzwiebel", True),
        ("光合作用", "光合", True),
        ("im Jahr 1848", "im Jahr 1989", True),
        ("Rose", "Zink", False),
        ("光合", "金属", False),
    ],
)
def test_texts_share_the_pieces_of_their_words(text: str, same: str, shared: bool) -> None:
    assert bool(set(pieces(text)[0].tolist()) & set(pieces(same)[0].tolist())) == shared


@pytest.mark.parametrize("text", ["", "ab", "光", "²", "Wann pflanzt man Tulpen, wann Rosen?"])
def test_values_have_length_one(text: str) -> None:
    buckets, values = pieces(text)
    assert len(buckets) == len(values)
    assert np.linalg.norm(values) == pytest.approx(1 if text else 0)


def test_only_chinese_japanese_and_korean_have_a_share_of_their_own() -> None:
    assert [unspaced(text) for text in ("光合", "ひかり", "빛", "свет", "Licht")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_words_move_the_choice_and_leave_whether_any_fits() -> None:
    found = np.array([0.5, 0.3, 0.2])
    moved = lexical("Tulpen").beside(found, "Tulpen")
    assert moved.argmax() == 1
    assert (moved[-1], moved.sum()) == (pytest.approx(0.2), pytest.approx(1))
    np.testing.assert_array_equal(lexical("Tulpen", shares=(0, 0.5)).beside(found, "Tulpen"), found)


def test_a_share_of_nothing_changes_nothing() -> None:
    found = np.array([[0.5, 0.3, 0.2]])
    np.testing.assert_allclose(pooled(found, np.array([[0.1, 0.9]]), 0.0), found, atol=1e-3)


def test_neighbours_are_found_in_any_order_but_no_new_one() -> None:
    words = lexical("Tulpen")
    turned = words.among(NODES[::-1])
    assert turned is not None
    np.testing.assert_allclose(turned.probabilities("Tulpen"), words.probabilities("Tulpen")[::-1])
    assert words.among((*NODES, NodeName("cellar"))) is None


def test_an_artifact_keeps_them(tmp_path: Path) -> None:
    words = lexical("Tulpen")
    manifest = MasterManifest(facets=[(node, "") for node in (*NODES, None)], temperature=1, threshold=0)
    part = TrainedMaster(np.zeros((3, 2), np.float32), np.zeros(3, np.float32), manifest, words)
    name = NodeName("desk")
    for given, expected in (
        (part, words.probabilities("Tulpen")),
        (TrainedMaster(part.vectors, part.bias, manifest), None),
    ):
        save_artifact(tmp_path, graph="g", spec_hash="", masters={name: given}, training={}, versions={})
        found = load_artifact(tmp_path).masters[name].lexical
        assert (found is None) == (expected is None)
        if found is not None and expected is not None:
            np.testing.assert_array_equal(found.probabilities("Tulpen"), expected)
