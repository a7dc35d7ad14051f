"""Train the follow-up model, and check what the shipped one does."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from agents.octopus.conversation.follow_ups import (
    EXPONENTS,
    FEATURES,
    FollowUpModel,
    load_follow_up_model,
)
from agents.octopus.conversation.follow_ups import (
    Heard as HeardText,
)
from agents.octopus.conversation.human_turns import Turn
from agents.octopus.conversation.reading import Reader
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.heads import Untrained
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from agents.types import Edge, FunctionalToken, NodeName
from training.router.follow_ups import Heard, believe, cross_validated, figures, fit, hear, left_out, rounded
from training.rows.dialogues import Dialogue

ENCODER = Encoder(threads=1)
SUBJECTS = {
    "cooking": "Recipes, baking, roasting and what to eat.",
    "cars": "Engines, tyres, oil and repairs of cars.",
    "law": "Contracts, courts and what is legal.",
    "maths": "Equations, derivatives and matrices.",
}
OPENINGS = {
    "cooking": "How long do I bake a loaf of bread?",
    "cars": "Which oil does the engine of an old car need?",
    "law": "Is a contract valid that was signed by a child?",
    "maths": "What is the derivative of the sine function?",
}


@cache
def octopus() -> EncoderOctopus:
    head = ZeroShotHead.build([Candidate(*one) for one in SUBJECTS.items()], ENCODER.embed)
    edges = [Edge(NodeName(name), FunctionalToken(f"<nexa_{k}>")) for k, name in enumerate(SUBJECTS)]
    return EncoderOctopus(edges, Untrained.of(head), ENCODER)


def dialogues() -> list[Dialogue]:
    found = []
    for name, opening in OPENINGS.items():
        for other, question in OPENINGS.items():
            turns, follows = (
                (Turn(opening), Turn(question if other != name else "does it take long there?")),
                other == name,
            )
            found += [Dialogue(turns, frozenset({other}), follows, name)] * (3 if follows else 1)
    return found


def all_of(heard: Heard) -> np.ndarray:
    return np.ones(len(heard.fold), dtype=bool)


def test_first_turns_and_speaking_acts_are_not_learnt_from() -> None:
    first = Dialogue((Turn(OPENINGS["law"]),), frozenset({"law"}), None, "x")
    thanks = Dialogue((Turn(OPENINGS["law"]), Turn("Thanks!")), frozenset({"law"}), True, "x")
    heard = hear([*dialogues(), first, thanks], octopus())
    assert len(heard.follows) == 4 * (3 + 3)
    assert heard.begins.tolist() == [2] * 24
    assert len(set(heard.fold.tolist())) == 4


def test_follow_ups_count_more_than_changes_however_many_there_are() -> None:
    heard = hear(dialogues()[1:], octopus())
    weights = heard.weights(all_of(heard))
    assert weights[heard.follows].sum() > weights[~heard.follows].sum()
    assert weights.sum() == pytest.approx(1.0)
    assert (heard.weights(~heard.follows)[heard.follows] == 0).all()


def test_training_tells_follow_ups_from_changes() -> None:
    heard = hear(dialogues(), octopus())
    parameters = fit([(heard, all_of(heard))], tried=20)
    count = len(EXPONENTS)
    exponents = dict(zip(EXPONENTS, parameters[:count].tolist(), strict=True))
    model = FollowUpModel(parameters[count:-1], float(parameters[-1]), exponents)
    found = figures(heard, *believe(model, heard))
    assert found["follow_ups_read"] == found["changes_read"] == 1.0
    assert found["changes"] == 1.0


def test_figures_are_of_what_was_not_seen() -> None:
    heard = hear(dialogues(), octopus())
    start = fit([(heard, all_of(heard))], tried=10)
    found = cross_validated({"a": heard}, start, folds=2)["a"]
    assert found["follow_ups_read"] >= 0.5
    assert set(left_out({"a": heard, "a, zero-shot": heard, "b": heard}, start)) == {"a", "a, zero-shot", "b"}
    assert rounded({"a": {"b": 0.123456}, "c": 3}) == {"a": {"b": 0.1235}, "c": 3}


def test_the_shipped_model_keeps_follow_ups_and_drops_changes() -> None:
    def say(*turns: str) -> str:
        return octopus().decide(turns).node or ""

    assert say(OPENINGS["maths"], "and its second one?") == "maths"
    assert say(OPENINGS["maths"], "and its second one?", "why?") == "maths"
    assert say(OPENINGS["maths"], "and its second one?", OPENINGS["law"]) == "law"
    assert say(OPENINGS["maths"], OPENINGS["law"], "and if he was sixteen?") == "law"


def test_the_shipped_weights_say_what_people_would() -> None:
    weights = dict(zip(FEATURES, load_follow_up_model().weights, strict=True))
    assert weights["points_back"] > 0 > weights["log_content_words"]
    assert weights["agreement"] > 0 > weights["rival"]


def test_a_model_of_no_weight_leaves_it_open() -> None:
    def even(text: str) -> HeardText:
        return HeardText(np.ones(1, dtype=np.float32), np.array([0.5, 0.5, 0.0]))

    reader = Reader(even, FollowUpModel(np.zeros(len(FEATURES)), 0.0), {})
    assert reader.read([Turn("How are tides made?"), Turn("How is bread made?")]).follow_up == 0.5
