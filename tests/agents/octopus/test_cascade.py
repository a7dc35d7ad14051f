"""The cascade: every step that may decide, in order, with its reason; and the decision made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from agents.octopus.cascade import (
    END,
    MOST_CHOICES,
    NEAR,
    Chosen,
    Example,
    cascade,
    decision_of,
    next_step,
)
from agents.octopus.conversation.reading import Before
from agents.octopus.tokens import END_TOKEN, slot_token
from agents.types import CascadeStep, Edge, NodeName

COOKING, CARS, ANYTHING, BACK = map(NodeName, ("cooking", "cars", "anything", "back"))
EDGES = [
    Edge(COOKING, slot_token(0)),
    Edge(CARS, slot_token(2), "As a mechanic: {query}"),
    Edge(ANYTHING, slot_token(4)),
    Edge(BACK, slot_token(6)),
]
DOUBTFUL = [0.1, 0.4, 0.3, 0.2]  # below a threshold of a half
FAR, NEARBY = Example(0, "Bake  a\npotato.", NEAR - 0.01), Example(0, "Bake  a\npotato.", NEAR)
HALF: dict[str, Any] = {"threshold": 0.5}


@dataclass(frozen=True)
class Case:
    """What is known of a query, and what the cascade is to make of it."""

    name: str
    probabilities: Sequence[float]
    place: int | None
    step: CascadeStep
    says: Sequence[str]
    known: dict[str, Any] = field(default_factory=dict)
    example: Example | None = None
    not_said: Sequence[str] = ()


CASES = [
    Case("the most probable", [0.2, 0.7, 0.05, 0.05], 1, "token", ["cars", "highest probability", "0.70"]),
    Case("without a threshold any", [0.25, 0.26, 0.25, 0.24], 1, "token", ["0.26"]),
    Case("exactly the threshold", [0.3, 0.5, 0.1, 0.1], 1, "token", ["0.50"], HALF),
    Case(
        "a hair below it", [0.3, np.nextafter(0.5, 0), 0.1, 0.1], None, "ask", ["cars", "0.50 needed"], HALF
    ),
    Case("of two alike the first", [0.1, 0.4, 0.4, 0.1], 1, "token", ["cars"]),
    Case("of all alike the first", [0.25] * 4, 0, "token", ["cooking"]),
    Case("certainty", [0, 0, 0, 1.0], 3, "token", ["back", "1.00"], {"threshold": 1.0}),
    Case(
        "a follow-up says so",
        [0.2, 0.7, 0.1, 0],
        1,
        "token",
        [f"stays with {EDGES[1].node}: follow-up (0.70)."],
        {"before": Before(EDGES[1].node, 0.9, 0.7)},
    ),
    Case(
        "a new question on the same subject says so",
        [0.2, 0.7, 0.1, 0],
        1,
        "token",
        [f"stays with {EDGES[1].node}: same subject (0.70)."],
        {"before": Before(EDGES[1].node, 0.1, 0.7)},
    ),
    Case(
        "a change of subject says what is left",
        [0.2, 0.7, 0.1, 0],
        1,
        "token",
        [f"leaves {EDGES[0].node}: new subject (0.80); {EDGES[1].node} has the highest probability, 0.70."],
        {"before": Before(EDGES[0].node, 0.1, 0.2)},
    ),
    Case(
        "no example where the token decides",
        [0.9, 0.1, 0, 0],
        0,
        "token",
        ["highest"],
        HALF,
        example=Example(1, "tyres", 1.0),
    ),
    Case(
        "the nearest example",
        DOUBTFUL,
        0,
        "examples",
        ["cars", "0.40 of the 0.50", "'Bake a potato.' of cooking is near", "0.72"],
        HALF | {"parent": BACK, "generalist": ANYTHING},
        NEARBY,
    ),
    Case("an example that is too far", DOUBTFUL, None, "ask", ["0.40"], HALF, FAR, not_said=["potato"]),
    Case(
        "too far, so the parent",
        DOUBTFUL,
        3,
        "parent",
        ["0.40 of the 0.50", "back takes it as the parent"],
        HALF | {"parent": BACK},
        FAR,
    ),
    Case(
        "the parent before the generalist",
        DOUBTFUL,
        3,
        "parent",
        ["back takes it as the parent"],
        HALF | {"parent": BACK, "generalist": ANYTHING},
        not_said=["anything"],
    ),
    Case(
        "the generalist without a parent",
        DOUBTFUL,
        2,
        "generalist",
        ["anything takes it as the generalist"],
        HALF | {"generalist": ANYTHING},
    ),
    Case(
        "the generalist where the parent is no neighbour",
        DOUBTFUL,
        2,
        "generalist",
        ["anything takes it"],
        HALF | {"parent": NodeName("elsewhere"), "generalist": ANYTHING},
    ),
    Case(
        "nobody where neither is a neighbour",
        DOUBTFUL,
        None,
        "ask",
        ["cars", "0.40 of the 0.50 needed", "Say more", "name the subject"],
        HALF | {"parent": NodeName("elsewhere"), "generalist": NodeName("gone")},
    ),
    Case("nobody", DOUBTFUL, None, "ask", ["0.40 of the 0.50 needed", "Say more"], HALF),
    Case(
        "nobody, of a German question",
        DOUBTFUL,
        None,
        "ask",
        ["0.40 of the 0.50 needed", "genauer"],
        HALF | {"query": "Was ist das?"},
    ),
    Case(
        "a language that is not read",
        [0, 1.0, 0, 0],
        2,
        "generalist",
        ["anything", "(de)", "octopus-graph[languages]"],
        {"unread": "de", "generalist": ANYTHING, "parent": BACK},
    ),
    Case(
        "a language that is not read, without a generalist",
        [0, 1.0, 0, 0],
        None,
        "ask",
        ["Keiner der Spezialisten", "octopus-graph[languages]"],
        {"unread": "de", "parent": BACK},
    ),
    Case(
        "the generalist may be the best, in doubt",
        [0.1, 0.2, 0.4, 0.3],
        2,
        "generalist",
        ["anything", "0.40"],
        HALF | {"generalist": ANYTHING},
    ),
    Case("exactly as much doubt as is allowed", [0.5, 0, 0, 0], 0, "token", ["cooking"], {"none": 0.5}),
    Case(
        "too much doubt",
        [0.4, 0, 0, 0],
        None,
        "ask",
        ["Probably none of the neighbours fits", "0.60", "cooking", "0.40", "Say more"],
        {"none": 0.6},
    ),
    Case("more doubt allowed", [0.2, 0, 0, 0], 0, "token", ["0.20"], {"none": 0.8, "abstain": 0.9}),
    Case("less doubt allowed", [0.8, 0, 0, 0], None, "ask", ["0.20"], {"none": 0.2, "abstain": 0.1}),
    Case(
        "where none fits the generalist takes it",
        [0.2, 0, 0, 0],
        2,
        "generalist",
        ["none of the neighbours", "anything takes it"],
        {"none": 0.8, "parent": BACK, "generalist": ANYTHING},
        FAR,
    ),
    Case(
        "where none fits the parent does not take it",
        [0.2, 0, 0, 0],
        None,
        "ask",
        ["none of the neighbours"],
        {"none": 0.8, "parent": BACK},
        FAR,
        not_said=["takes it"],
    ),
    Case(
        "where none seems to fit an example still decides",
        [0.1, 0.1, 0, 0],
        0,
        "examples",
        ["none of the neighbours fits", "is near"],
        {"none": 0.8, "generalist": ANYTHING},
        NEARBY,
    ),
    Case("no neighbour has any probability", [0, 0, 0, 0], None, "ask", ["cooking", "0.00"]),
    Case("nor any, so the generalist", [0] * 4, 2, "generalist", ["anything"], {"generalist": ANYTHING}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_who_takes_a_query_and_why(case: Case) -> None:
    def nearest() -> Example | None:
        return case.example

    chosen = cascade(EDGES, case.probabilities, nearest=nearest, **case.known)
    assert (chosen.place, chosen.step) == (case.place, case.step)
    assert all(fact in chosen.reason for fact in case.says), chosen.reason
    assert not any(word in chosen.reason for word in case.not_said), chosen.reason
    assert chosen.reason.endswith(".")
    assert cascade(EDGES, np.array(case.probabilities), nearest=nearest, **case.known) == chosen
    if case.example is None:
        assert cascade(EDGES, case.probabilities, **case.known) == chosen


def test_examples_are_looked_for_in_doubt_only() -> None:
    asked: list[str] = []

    def nearest() -> None:
        asked.append("once")

    cascade(EDGES, [0.9, 0.1, 0, 0], threshold=0.5, nearest=nearest)
    assert not asked
    assert cascade(EDGES, DOUBTFUL, threshold=0.5, nearest=nearest).step == "ask"
    assert asked == ["once"]


WALK = [*EDGES[:2], END]


@pytest.mark.parametrize(
    ("edges", "probabilities", "threshold", "place", "says"),
    [
        (WALK, [0.2, 0.7, 0.1], 0.0, 1, ["After a → b", "cars comes next", "0.70"]),
        (WALK, [0.1, 0.2, 0.7], 0.0, 2, ["After a → b", "the question is answered", "0.70"]),
        (WALK, [0.3, 0.4, 0.3], 0.4, 1, ["cars comes next"]),
        (WALK, [0.3, 0.4, 0.3], 0.5, 2, ["cars", "0.40 of the 0.50", "after a → b", "the walk ends"]),
        (WALK, [0.1, 0.2, 0.4], 0.5, 2, ["the question is answered", "0.40"]),
        (WALK, [0.4, 0.2, 0.4], 0.0, 0, ["cooking comes next"]),  # of two alike the first
        (EDGES[:2], [0.4, 0.6], 0.9, 1, ["cars comes next"]),  # where no end is legal, the walk goes on
    ],
)
def test_where_a_walk_goes_on_or_ends(
    edges: Sequence[Edge], probabilities: list[float], threshold: float, place: int, says: list[str]
) -> None:
    chosen = next_step(edges, probabilities, [NodeName("a"), NodeName("b")], threshold)
    assert (chosen.place, chosen.step) == (place, "token")
    assert all(fact in chosen.reason for fact in says), chosen.reason


def test_names_of_walked_nodes_are_kept_as_they_are() -> None:
    walked = [NodeName("OpenAI"), NodeName("x_Y")]
    for probabilities in ([0.9, 0.1, 0.0], [0.3, 0.3, 0.2], [0, 0, 1]):
        assert "OpenAI → x_Y" in next_step(WALK, probabilities, walked, 0.5).reason


def decide(
    probabilities: Sequence[float], chosen: Chosen, edges: Sequence[Edge] = EDGES, **changes: Any
) -> Any:
    known: dict[str, Any] = {"query": "It rattles.", "question": "Why does it rattle?", "calibrated": True}
    return decision_of(edges, probabilities, chosen, **(known | changes))


def test_a_decision_for_a_neighbour() -> None:
    decision = decide([0.1, 0.2, 0.3, 0.4], Chosen(1, "examples", "Near."))
    assert (decision.node, decision.token, decision.decided_by) == (CARS, slot_token(2), "examples")
    assert decision.probability == 0.2  # its own, not the best one's
    assert decision.rewritten == "As a mechanic: It rattles."
    assert (decision.question, decision.reason) == ("Why does it rattle?", "Near.")
    assert decision.calibrated
    assert [choice.node for choice in decision.choices] == [BACK, ANYTHING, CARS, COOKING]
    assert [choice.probability for choice in decision.choices] == [0.4, 0.3, 0.2, 0.1]
    assert not decide([1, 0, 0, 0], Chosen(0, "token", ""), calibrated=False).calibrated


def test_a_decision_for_nobody_has_the_best_probability_and_the_query_as_it_is() -> None:
    decision = decide(DOUBTFUL, Chosen(None, "ask", "Who?"))
    assert (decision.node, decision.token, decision.decided_by) == (None, None, "ask")
    assert (decision.probability, decision.rewritten) == (0.4, "It rattles.")


def test_a_decision_that_ends_the_walk() -> None:
    decision = decide([0.1, 0.3, 0.6], Chosen(2, "token", "Done."), WALK)
    assert (decision.node, decision.token) == (None, END_TOKEN)
    assert (decision.probability, decision.rewritten) == (0.6, "")
    assert (decision.choices[0].node, decision.choices[0].token) == ("answer", END_TOKEN)


def test_choices_alike_stay_in_order() -> None:
    decision = decide([0.25] * 4, Chosen(0, "token", ""))
    assert [choice.node for choice in decision.choices] == [edge.node for edge in EDGES]


@pytest.mark.parametrize("number", [MOST_CHOICES, MOST_CHOICES + 1, 500])
def test_of_very_many_the_best_are_listed(number: int) -> None:
    edges = [Edge(NodeName(f"n{k}"), slot_token(k)) for k in range(number)]
    alike = decide([1 / number] * number, Chosen(0, "token", ""), edges)
    assert [choice.node for choice in alike.choices] == [f"n{k}" for k in range(MOST_CHOICES)]
    probabilities = np.random.default_rng(number).dirichlet(np.ones(number))
    found = decide(probabilities.tolist(), Chosen(0, "token", ""), edges).choices
    best = sorted(range(number), key=lambda k: -probabilities[k])[:MOST_CHOICES]
    assert [choice.node for choice in found] == [f"n{k}" for k in best]
    assert [choice.probability for choice in found] == [probabilities[k] for k in best]
