"""How a subject is followed through a conversation; the model's training is tested in tests/training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from agents.errors import ArtifactError
from agents.octopus.conversation.follow_ups import (
    FEATURES,
    FollowUpModel,
    ReadTurn,
    follow_up_features,
    load_follow_up_model,
    read_conversation,
)


def turn(text: str, *probabilities: float, angle: float = 0.0) -> ReadTurn:
    vector = np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)
    return ReadTurn(text, vector, np.array(probabilities))


BAKING = turn("How long is bread baked?", 0.9, 0.1, 0.0)
CARS = turn("Which oil does a diesel engine need?", 0.1, 0.9, 0.0, angle=1.5)
THAT = turn("And that?", 0.5, 0.3, 0.2, angle=0.1)


def model(**weights: float) -> FollowUpModel:
    """Follow up where what the named features add up to is above 0."""
    return FollowUpModel(np.array([weights.get(name, 0.0) for name in FEATURES]), -0.5)


def test_a_follow_up_is_routed_as_the_turn_that_it_refers_to() -> None:
    pointing = model(points_back=10.0)
    reading = read_conversation([BAKING, THAT], pointing)
    assert reading.refers_to == BAKING.text
    assert reading.probabilities is BAKING.probabilities
    assert reading.follow_up > 0.5
    again = read_conversation([BAKING, THAT, THAT], pointing)
    assert again.refers_to == BAKING.text  # the subject, not the turn before


def test_a_change_of_subject_stands_by_itself_and_is_followed() -> None:
    pointing = model(points_back=10.0)
    changed = read_conversation([BAKING, CARS], pointing)
    assert (changed.refers_to, changed.follow_up < 0.5) == ("", True)
    assert changed.probabilities is CARS.probabilities
    assert read_conversation([BAKING, CARS, THAT], pointing).refers_to == CARS.text


def test_a_first_turn_follows_up_on_nothing() -> None:
    reading = read_conversation([THAT], model(points_back=10.0))
    assert (reading.refers_to, reading.follow_up) == ("", 0.0)


def test_features_are_named_and_finite() -> None:
    found = dict(zip(FEATURES, follow_up_features(THAT, BAKING), strict=True))
    assert found["points_back"] == 1
    assert found["is_question"] == 1
    assert found["subject_probability"] == pytest.approx(0.5)
    assert found["similarity"] == pytest.approx(np.cos(0.1), abs=1e-6)
    certain = turn("The oil of the Volvo?", 1.0, 0.0)
    found = dict(zip(FEATURES, follow_up_features(certain, certain), strict=True))
    assert (found["new_names"], found["definite_articles"]) == (0, 2)
    assert all(np.isfinite(value) for value in found.values())


def test_the_shipped_model_tells_both_apart() -> None:
    shipped = load_follow_up_model()
    assert shipped.probability(THAT, BAKING) > 0.5 > shipped.probability(CARS, BAKING)


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    for text in (json.dumps({"weights": {"height": 1.0}, "bias": 0}), "{", json.dumps({})):
        path.write_text(text)
        load_follow_up_model.cache_clear()
        with pytest.raises(ArtifactError, match="cannot be used"):
            load_follow_up_model(path)
    load_follow_up_model.cache_clear()
