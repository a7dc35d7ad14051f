"""Check the background and the maps of zero-shot routing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.octopus.embedding import Encoder
from agents.octopus.encoder.background import load_background
from agents.octopus.encoder.zero_shot import Candidate, describe
from training.router.zero_shot import build_background, read_tools


def test_a_saved_background_is_read_back(tmp_path: Path) -> None:
    tools = read_tools()[:3]
    background = build_background(tools, Encoder(threads=1).embed)
    background.save(tmp_path / "background.npz")
    restored = load_background(tmp_path / "background.npz")
    np.testing.assert_array_equal(restored.query_mean, background.query_mean)
    np.testing.assert_array_equal(restored.description_mean, background.description_mean)
    assert restored.document_frequency == background.document_frequency
    assert restored.size == 3


def test_the_shipped_background_belongs_to_the_shipped_encoder_and_texts() -> None:
    tools, shipped, encoder = read_tools(), load_background(), Encoder(threads=1)
    assert shipped.size == len(tools)
    described = describe([Candidate(tool["name"], tool["description"]) for tool in tools], encoder.embed)
    np.testing.assert_allclose(described.mean(axis=0), shipped.description_mean, atol=1e-3)


def test_every_tool_is_complete_and_named_once() -> None:
    tools = read_tools()
    assert len({tool["name"] for tool in tools}) == len(tools)
    assert all(tool["description"] and len(tool["queries"]) >= 2 for tool in tools)


def test_a_background_needs_tools() -> None:
    with pytest.raises(ValueError, match="none"):
        build_background([], Encoder(threads=1).embed)


@pytest.mark.train
def test_maps_bring_needs_nearer_to_tools_that_they_were_not_trained_on() -> None:
    from training.router.zero_shot import HeldOut, ToolTexts, train_maps

    tools = read_tools()[::4]
    texts = ToolTexts.embed(tools, load_background(), Encoder())
    places = np.random.default_rng(0).permutation(len(tools))
    seen, unseen = np.sort(places[20:]), np.sort(places[:20])
    maps = train_maps(texts, seen)
    held_out = HeldOut()
    held_out.measure(texts, unseen, maps, seed=0)
    assert np.mean(held_out.ranks_after) <= np.mean(held_out.ranks_before)
    assert np.mean(held_out.best_fitting) > np.mean(held_out.best_foreign)
    slope, bias = held_out.fit()
    assert slope > 0 > bias
