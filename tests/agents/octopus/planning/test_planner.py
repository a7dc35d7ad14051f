"""Planning: what may follow, the search, zero-shot paths, decisions step by step."""

from __future__ import annotations

import numpy as np
import pytest

from agents.errors import RoutingError
from agents.octopus.conversation.human_turns import carry_answers
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from agents.octopus.planning.exemplars import NGramIndex
from agents.octopus.planning.next_node import ZeroShotNext
from agents.octopus.planning.path_graph import Path, PathGraph, Places
from agents.octopus.planning.planner import Planner, beam_search, phrases
from agents.octopus.tokens import END_TOKEN, slot_token
from agents.types import Decision, Edge, NodeName, Step
from tests.planning import DOCSTRINGS, NEIGHBOURS, kitchen


@pytest.fixture(scope="module")
def planner(encoder: Encoder) -> Planner:
    graph = kitchen()
    said = [Candidate(name, DOCSTRINGS.get(name, name)) for name in graph.nodes]
    docstrings = ZeroShotHead.build(said, encoder.embed)
    return Planner(graph, ZeroShotNext(graph, docstrings), encoder.embed)


def test_phrases_keep_the_order_and_are_never_none() -> None:
    assert phrases("Buy leeks, cook them; then wash up.") == ["Buy leeks", "cook them", "wash up"]
    assert phrases("Go") == ["Go"]
    assert len(phrases("a b, " * 100)) == 24


def test_only_neighbours_and_after_a_worker_the_end_are_candidates() -> None:
    graph = kitchen()
    start = graph.candidates(graph.entry, ())
    assert graph.end not in start  # a path has at least one step
    assert [graph.nodes[k] for k in start] == list(DOCSTRINGS)
    timer = graph.place[NodeName("set_timer")]
    assert graph.candidates(timer, (timer,)).tolist() == [graph.end]
    below = PathGraph.of(
        {NodeName("a"): [NodeName("b")], NodeName("b"): [NodeName("c")], NodeName("c"): []},
        NodeName("a"),
        [NodeName("a"), NodeName("b")],
    )
    assert below.candidates(1, (1,)).tolist() == [2]  # a path does not end at a master


def test_beam_search_finds_the_path_that_greed_misses() -> None:
    table = {(): {0: 0.6, 1: 0.4}, (0,): {2: 0.5, 9: 0.5}, (1,): {9: 1.0}, (0, 2): {9: 1.0}}

    def step(path: Path) -> tuple[Places, np.ndarray[tuple[int], np.dtype[np.float64]]]:
        found = table[path]
        return np.array(list(found)), np.log(np.array(list(found.values())))

    best = beam_search(step, 9)
    assert best[0] == (1,)
    assert np.exp(best[1]) == pytest.approx(0.4)


def test_beam_search_ends_on_a_cycle() -> None:
    found = beam_search(lambda path: (np.array([0]), np.zeros(1)), 9, most_steps=3)
    assert found == ((0, 0, 0), 0.0)


def test_cosines_of_ngrams() -> None:
    index = NGramIndex.build(["change flight 12", "change flight 99", "cook a fish", "cook a pie"])
    cosines = index.cosines("change flight 7")
    assert cosines[:2] == pytest.approx(1, abs=1e-5)
    assert cosines[2:] == pytest.approx(0)
    assert not index.cosines("zebra").any()


@pytest.mark.parametrize(
    ("query", "first"),
    [("Find a recipe for leek soup and buy the ingredients", "find_recipe"), ("Wash the dishes", "wash_up")],
)
def test_zero_shot_plans_stay_on_the_graph(planner: Planner, query: str, first: str) -> None:
    plan = planner.plan(planner.read([query])[0])
    assert plan.path[0] == first
    assert all(b in NEIGHBOURS[a] for a, b in zip(plan.path, plan.path[1:], strict=False))
    assert 0 < plan.probability <= 1


def test_probabilities_of_a_decision_sum_to_one(planner: Planner) -> None:
    request = planner.read(["Cook a pie and set the timer"])[0]
    found = planner.following(request, [NodeName("cook_dish")], NodeName("cook_dish"))
    assert list(found) == ["set_timer", "wash_up", "cook_dish", None]
    assert sum(found.values()) == pytest.approx(1)
    assert max(found, key=lambda name: found[name]) == "set_timer"


def test_a_step_elsewhere_is_an_error(planner: Planner) -> None:
    with pytest.raises(RoutingError, match="'garage' is not a node"):
        planner.following(planner.read(["Cook"])[0], [NodeName("garage")], NodeName("octopus"))


def decide_next(planner: Planner, at: str, question: str, step: Step) -> Decision:
    names = [NodeName(name) for name in NEIGHBOURS[at]]
    edges = {name: Edge(name, slot_token(k), f"As {name}: {{query}}") for k, name in enumerate(names)}
    return planner.decide_next(NodeName(at), edges, question, [step])


def test_the_next_worker_gets_the_answers_so_far(planner: Planner) -> None:
    step = Step(NodeName("cook_dish"), "cook", "Done <nexa_3>.", "answered")
    route = decide_next(planner, "cook_dish", "Cook a pie and set the timer", step)
    assert route.node == "set_timer"
    assert route.token == slot_token(0)
    assert route.rewritten.startswith(
        "As set_timer: Cook a pie and set the timer\n\n[Answer of cook_dish: Done"
    )
    assert "<nexa_3>" not in route.rewritten
    assert route.question == "Cook a pie and set the timer"
    assert (END_TOKEN, "answer") in {(choice.token, choice.node) for choice in route.choices}


def test_the_walk_stops_where_all_is_served(planner: Planner) -> None:
    step = Step(NodeName("set_timer"), "set it", "Set.", "answered")
    route = decide_next(planner, "set_timer", "Set the timer", step)
    assert route.node is None
    assert route.token == END_TOKEN
    assert route.probability == pytest.approx(1)


def test_what_was_declined_is_not_carried_over() -> None:
    assert carry_answers("Why?", [Step(NodeName("a"), "", "I cannot.", "declined")]) == "Why?"
