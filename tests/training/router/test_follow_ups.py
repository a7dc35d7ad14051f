"""Train the follow-up model, and check what the shipped one does."""

from __future__ import annotations

import numpy as np
import pytest

from agents.errors import InputError
from agents.octopus.conversation.follow_ups import (
    FEATURES,
    FollowUpModel,
    ReadTurn,
    follow_up_features,
    load_follow_up_model,
    read_conversation,
)
from agents.octopus.embedding import Encoder
from training.router.follow_ups import fit, heads_of_mmlu, held_out, read_pairs, train

ENCODER = Encoder(threads=1)


class EvenHead:
    """Find both of two neighbours equally likely, whatever is asked."""

    calibrated, threshold, abstain = False, 0.0, 1.0

    def probabilities(self, text: str, vector: np.ndarray) -> np.ndarray:
        return np.array([0.5, 0.5, 0.0])


DIALOGUES = [
    {"turns": [f"question {k} on {word}", follow, change], "nodes": ["a", "a", "b"]}
    for k, (word, follow, change) in enumerate(
        [
            ("tides", "and why is it so?", "list every kind of contract that a notary in Spain must sign"),
            ("bread", "is it healthy?", "show how Python dictionaries grow when many keys are added"),
            ("tax", "do they all pay it?", "describe the chemical structure of penicillin in detail"),
            ("chess", "who invented it?", "compute the determinant of a random large matrix quickly"),
        ]
    )
]


def test_pairs_are_taken_once_with_the_subject_before_them() -> None:
    twice = [*DIALOGUES, {"turns": DIALOGUES[0]["turns"][:2], "nodes": ["a", "a"]}]
    pairs = read_pairs(twice, EvenHead(), ENCODER, None)
    assert pairs.features.shape == (8, len(FEATURES))
    assert pairs.follows.tolist() == [True, False] * 4
    assert pairs.group.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_the_weights_hold_for_features_as_they_are() -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(5, 3, (200, 2))
    follows = features[:, 0] > 5
    weights, bias = fit(features, follows, strength=1.0)
    assert float(((features @ weights + bias > 0) == follows).mean()) > 0.95
    assert abs(weights[0]) > 10 * abs(weights[1])


def test_training_tells_follow_ups_from_changes_that_it_did_not_see() -> None:
    pairs = read_pairs(DIALOGUES, EvenHead(), ENCODER, None)
    (probabilities,) = held_out([pairs], 1.0, folds=4)
    assert ((probabilities > 0.5) == pairs.follows).all()
    model = train({"even": pairs}, folds=4)
    assert list(model["weights"]) == list(FEATURES)
    assert model["metrics"]["even_stay"] == model["metrics"]["even_move"] == 1.0
    with pytest.raises(InputError, match="5 folds"):
        train({"even": pairs}, folds=5)


def turn(text: str, probabilities: list[float]) -> ReadTurn:
    return ReadTurn(text, ENCODER.embed([text])[0], np.array(probabilities))


def test_features_survive_certain_and_single_neighbours() -> None:
    for own in ([1.0, 0.0], [0.0, 1.0]):
        assert np.isfinite(follow_up_features(turn("?", own), turn("Why?", [1.0, 0.0]))).all()


def test_a_follow_up_keeps_the_subject_and_a_change_drops_it() -> None:
    model = load_follow_up_model()
    maths = turn("What is the derivative of x^3?", [0.9, 0.05, 0.05])
    vague = turn("and its second one?", [0.3, 0.4, 0.3])
    other = turn("Who was the first emperor of China and when did he rule?", [0.02, 0.95, 0.03])
    stays = read_conversation([maths, vague], model)
    assert stays.refers_to == maths.text
    assert stays.probabilities.argmax() == 0
    moves = read_conversation([maths, vague, other], model)
    assert moves.refers_to == ""
    assert moves.probabilities.argmax() == 1


def test_a_model_of_no_weight_leaves_it_open() -> None:
    model = FollowUpModel(np.zeros(len(FEATURES)), 0.0)
    assert model.probability(turn("a", [1.0, 0.0]), turn("b", [1.0, 0.0])) == 0.5


def test_the_zero_shot_head_of_the_graph_is_used_without_an_artifact() -> None:
    heads = heads_of_mmlu(ENCODER, None)
    assert list(heads) == ["zero_shot"]
