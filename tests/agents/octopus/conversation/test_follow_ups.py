"""Test what tells follow-ups from changes of subject; the model's training is tested in tests/training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from agents.errors import ArtifactError
from agents.octopus.conversation.follow_ups import (
    FEATURES,
    TEXT_FEATURES,
    FollowUpModel,
    Heard,
    as_one_text,
    load_follow_up_model,
    text_features,
)
from agents.octopus.conversation.human_turns import Turn

BEFORE = np.array([0.8, 0.1, 0.1])
OWN = np.array([0.2, 0.6, 0.2, 0.0])
EXCHANGE = np.array([0.4, 0.3, 0.3, 0.0])
NOTHING = np.zeros(len(TEXT_FEATURES))


def hear(text: str) -> Heard:
    angle = float(len(text))
    return Heard(np.array([np.cos(angle), np.sin(angle)], dtype=np.float32), np.array([0.5, 0.4, 0.1]))


def model(bias: float) -> FollowUpModel:
    return FollowUpModel(np.zeros(len(FEATURES)), bias)


def test_who_stays_keeps_the_belief_and_who_leaves_takes_another_node() -> None:
    belief, stays = model(50.0).go_on(BEFORE, OWN, EXCHANGE, NOTHING)
    assert stays == pytest.approx(1.0)
    assert belief.argmax() == 0
    assert belief == pytest.approx(model(0.0).stay(BEFORE, EXCHANGE))
    belief, stays = model(-50.0).go_on(BEFORE, OWN, EXCHANGE, NOTHING)
    assert stays == pytest.approx(0.0)
    assert belief.argmax() == 1
    assert belief[0] < OWN[0]  # the node before is what was left


def test_doubt_is_a_mixture_of_both() -> None:
    belief, stays = model(0.0).go_on(BEFORE, OWN, EXCHANGE, NOTHING)
    stay, _ = model(50.0).go_on(BEFORE, OWN, EXCHANGE, NOTHING)
    leave, _ = model(-50.0).go_on(BEFORE, OWN, EXCHANGE, NOTHING)
    assert stays == 0.5
    assert belief == pytest.approx((stay + leave) / 2)
    assert belief.sum() == pytest.approx(1.0)


def test_many_conversations_are_read_as_one_is() -> None:
    shipped = load_follow_up_model()
    alone = shipped.go_on(BEFORE, OWN, EXCHANGE, NOTHING)
    together = shipped.go_on(*(np.stack([one, one]) for one in (BEFORE, OWN, EXCHANGE, NOTHING)))
    assert together[0][1] == pytest.approx(alone[0])
    assert together[1][1] == pytest.approx(alone[1])


@pytest.mark.parametrize("own", [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0, 0.0], [0.0] * 300 + [1.0]])
def test_certain_and_single_neighbours_do_no_harm(own: list[float]) -> None:
    n = len(own) - 1
    belief, stays = load_follow_up_model().go_on(np.full(n, 1 / n), np.array(own), np.array(own), NOTHING)
    assert np.isfinite(belief).all()
    assert 0 <= stays <= 1


def test_features_of_texts() -> None:
    turns = [
        Turn("How long is bread baked?", "For an hour. Can I help with anything else?"),
        Turn("Does it rise? As in Oxford"),
    ]
    found = dict(zip(TEXT_FEATURES, text_features(turns, hear), strict=True))
    assert (found["points_back"], found["is_question"], found["new_names"]) == (1.0, 0.0, 1.0)
    assert (found["asked_what_else"], found["has_reply"]) == (1.0, 1.0)
    assert found["log_words"] == pytest.approx(np.log1p(6))
    assert found["log_content_words"] == pytest.approx(np.log1p(2))
    assert found["similarity"] == found["nearest"] == pytest.approx(np.cos(24 - 26), abs=1e-6)
    silent = dict(zip(TEXT_FEATURES, text_features([Turn("Hm."), Turn("And rye?")], hear), strict=True))
    assert (silent["asked_what_else"], silent["has_reply"], silent["is_question"]) == (0.0, 0.0, 1.0)


def test_features_of_an_answer_to_the_assistant() -> None:
    turns = [Turn("I want to book a table.", "Which town?"), Turn("Yes, two tables in Ulm.")]
    found = dict(zip(TEXT_FEATURES, text_features(turns, hear), strict=True))
    assert (found["asked_back"], found["asked_what_else"], found["assents"]) == (1.0, 0.0, 1.0)
    assert found["log_shared_words"] == pytest.approx(np.log1p(1))  # "tables" after "table"
    assert found["log_new_words"] == pytest.approx(np.log1p(2))  # "two", "Ulm"


def test_an_exchange_is_cut_so_that_a_long_reply_costs_little() -> None:
    long = "word " * 10_000
    text = as_one_text([Turn(long, long), Turn("字" * 10_000, "Yes."), Turn("And rye?")])
    assert text.endswith("\nYes.\nAnd rye?")
    assert len(text.split()) == 48 + 16 + 1 + 1 + 2
    assert len(text) < 1000


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    for text in (json.dumps({"weights": {"height": 1.0}, "bias": 0}), "{", json.dumps({})):
        path.write_text(text)
        load_follow_up_model.cache_clear()
        with pytest.raises(ArtifactError, match="cannot be used"):
            load_follow_up_model(path)
    load_follow_up_model.cache_clear()
