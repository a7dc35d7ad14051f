"""Test baselines on vectors that can be told apart, and on texts through the shipped encoder."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.model_selection import PredefinedSplit

from agents.octopus.embedding import Vectors
from agents.octopus.encoder.octopus import EncoderOctopus
from evaluation.routing.baselines import (
    GRIDS,
    TrainingTexts,
    scikit_baselines,
    semantic_router_baseline,
    tuned_models,
    zero_shot_baseline,
)
from training.rows.labelled_rows import RouterRow

NODES = ["unseen", "even", "odd"]


def embed(texts: Sequence[str]) -> Vectors:
    """Place even and odd numbers around two axes."""
    angles = np.array([np.pi / 2 * (int(text) % 2) + 0.01 * (int(text) % 7) for text in texts])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def training(own: int = 4) -> TrainingTexts:
    rows = [
        RouterRow(
            query=str(k), variants=(str(k + 100),), node=NODES[1 + k % 2], held_out=k >= own, weight=0.5
        )
        for k in range(40)
    ]
    rows.append(RouterRow(query="7", node=None, held_out=False))
    return TrainingTexts.of(rows, NODES, embed)


def test_forms_of_a_row_share_a_fold_and_own_text_is_never_scored() -> None:
    texts = training()
    assert len(texts.texts) == 80
    assert (texts.folds[::2] == texts.folds[1::2]).all()
    assert (texts.folds[:8] == -1).all()
    for seen, scored in PredefinedSplit(texts.folds).split():
        assert set(range(8)) <= set(seen.tolist())
        assert not set(seen.tolist()) & set(scored.tolist())
    assert len(texts.exam_only().texts) == 72


def test_each_router_learns_and_scores_all_nodes() -> None:
    small = {name: (model, {k: v[:1] for k, v in grid.items()}) for name, (model, grid) in GRIDS.items()}
    texts = training()
    models = tuned_models(texts.exam_only(), small)
    queries = ["2", "3", "11"]
    found = list(scikit_baselines(models, texts))
    assert [baseline.name for baseline in found] == ["kNN", "logistic regression", "RBF-SVC"]
    for baseline in found:
        assert baseline.settings
        predictions = baseline.predict(queries, embed(queries))
        assert predictions.chosen.tolist() == [1, 2, 2]
        assert predictions.scores.shape == (3, 3)
        assert predictions.are_probabilities == (baseline.name != "RBF-SVC")


def test_zero_shot_needs_no_rows(octopus: EncoderOctopus) -> None:
    texts = ["Which court decides on a treaty?", "How fast does a ball fall?"]
    found = zero_shot_baseline(octopus.head).predict(texts, octopus.encoder.embed(texts))
    nodes = [neighbour.node for neighbour in octopus.neighbours]
    assert [nodes[k] for k in found.chosen] == ["law", "physics"]


def test_semantic_router_sees_the_same_vectors_or_is_said_to_be_missing() -> None:
    if find_spec("semantic_router") is None:
        with pytest.raises(ImportError):
            semantic_router_baseline(training())
        return
    found = semantic_router_baseline(training(), top_k=3)
    assert found.predict(["2", "3"], embed(["2", "3"])).chosen.tolist() == [1, 2]
