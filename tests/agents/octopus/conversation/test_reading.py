"""Test how a subject is followed through a conversation."""

from __future__ import annotations

import numpy as np
import pytest

from agents.octopus.conversation.follow_ups import FEATURES, FollowUpModel, Heard
from agents.octopus.conversation.human_turns import Turn
from agents.octopus.conversation.reading import Reader, Reading
from agents.types import Edge, FunctionalToken, NodeName

BREAD, CARS, THAT = "How long is bread baked?", "Which oil does a diesel engine need?", "Is it good for that?"
FOOD, ENGINES = NodeName("food"), NodeName("engines")
EDGES = [Edge(FOOD, FunctionalToken("<nexa_0>")), Edge(ENGINES, FunctionalToken("<nexa_1>"))]
ALONE = {BREAD: [0.9, 0.1, 0.0], CARS: [0.1, 0.9, 0.0], "今天天气怎么样": [0.02, 0.03, 0.95]}


def hear(text: str) -> Heard:
    """Route a text by what is in it; a text about nothing goes nowhere in particular."""
    known = [np.array(own) for one, own in ALONE.items() if one in text]
    own = np.mean(known, axis=0) if known else np.array([0.4, 0.5, 0.1])
    return Heard(np.array([1.0, 0.0], dtype=np.float32), own)


# Pronouns follow up.
MODEL = FollowUpModel(np.array([20.0 if name == "points_back" else 0.0 for name in FEATURES]), -3.0)
READER = Reader(hear, MODEL, {FOOD: 0, ENGINES: 1}, abstain=0.9)


def read(*turns: str | Turn) -> Reading:
    return READER.read([Turn(turn) if isinstance(turn, str) else turn for turn in turns])


def test_a_first_turn_is_routed_by_itself() -> None:
    reading = read(THAT)
    assert reading.probabilities.tolist() == [0.4, 0.5, 0.1]
    assert (reading.refers_to, reading.follow_up, reading.before) == ("", 0.0, None)
    assert reading.node_before(EDGES) is None


def test_a_follow_up_stays_with_the_node_before() -> None:
    reading = read(BREAD, THAT)
    assert reading.refers_to == BREAD
    assert reading.probabilities.argmax() == 0
    before = reading.node_before(EDGES)
    assert before is not None
    assert (before.node, before.follow_up > 0.99, before.stays > 0.8) == (FOOD, True, True)


def test_a_change_of_subject_stands_by_itself_and_is_followed() -> None:
    changed = read(BREAD, CARS)
    assert (changed.refers_to, changed.before, int(changed.probabilities.argmax())) == ("", 0, 1)
    assert read(BREAD, CARS, THAT).refers_to == CARS


def test_the_subject_advances_with_the_conversation() -> None:
    advanced = read(BREAD, "Does it rise faster there?", THAT)
    assert advanced.refers_to == "How long is bread baked Does it rise faster there?"
    assert advanced.probabilities.argmax() == 0


@pytest.mark.parametrize("speech", ["Thanks!", "Why?", "ok", "Hello!"])
def test_speaking_acts_stay_and_are_no_subject(speech: str) -> None:
    said = read(BREAD, speech)
    assert (int(said.probabilities.argmax()), said.follow_up, said.refers_to) == (0, 1.0, BREAD)
    assert read(BREAD, speech, THAT).refers_to == BREAD
    first = read(speech, BREAD)  # without a subject before it
    assert (first.before, first.refers_to) == (None, "")
    assert first.probabilities.tolist() == ALONE[BREAD]


def test_a_foreign_turn_does_not_poison_the_next() -> None:
    foreign = "今天天气怎么样"
    assert read(BREAD, foreign).probabilities[-1] > 0.8
    assert read(BREAD, foreign, THAT).refers_to == BREAD
    assert read(BREAD, foreign, THAT).probabilities.argmax() == 0


def test_a_turn_that_nobody_took_is_no_subject() -> None:
    refused = Turn(CARS, refused=True)
    assert read(BREAD, refused, THAT).refers_to == BREAD
    assert read(refused, BREAD).before is None


def test_the_name_on_a_reply_counts_more_than_what_routing_thinks() -> None:
    assert read(Turn(BREAD, "5 litres.", ENGINES), THAT).probabilities.argmax() == 1
    unknown = read(Turn(BREAD, "An hour.", NodeName("elsewhere")), THAT)
    assert unknown.probabilities == pytest.approx(read(Turn(BREAD, "An hour."), THAT).probabilities)


def test_another_model_has_a_say_in_follow_ups_and_decides_alone_otherwise() -> None:
    served = np.array([0.2, 0.7, 0.1])
    follow_up = read(BREAD, THAT)
    both = follow_up.settled(served).probabilities
    assert both.sum() == pytest.approx(1.0)
    assert both[0] / both[1] == pytest.approx(
        np.sqrt(follow_up.probabilities[0] * 0.2 / (follow_up.probabilities[1] * 0.7))
    )
    assert read(BREAD, CARS).settled(served).probabilities.tolist() == served.tolist()
