"""What a remote Octopus makes of scores, whatever server they come from; the scorer is scripted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agents.errors import InputError, ModelUnavailableError, RoutingError
from agents.octopus.cascade import END, Example
from agents.octopus.causal.grammar import MalformedCallError
from agents.octopus.conversation.human_turns import Turn
from agents.octopus.conversation.reading import Reading
from agents.octopus.served.octopus import RemoteOctopus, probabilities
from agents.octopus.tokens import END_TOKEN, slot_token
from agents.types import Edge, NodeName, Step
from tests.scripted import ScriptedOctopus, route_to

MATHS, LAW = NodeName("maths"), NodeName("law")
NEIGHBOURS = [Edge(MATHS, slot_token(0), "Count: {query}"), Edge(LAW, slot_token(1))]


@dataclass
class ScriptedScorer:
    """Gives the same scores and rewrite for ever; an exception is raised."""

    scores: Sequence[float]
    rewritten: str | Exception = "as asked"
    fault: Exception | None = None
    asked: list[str] = field(default_factory=list)
    probes: int = 0

    async def probe(self, candidates: Sequence[Edge]) -> None:
        self.probes += 1

    async def score(self, query: str, candidates: Sequence[Edge]) -> Sequence[float]:
        self.asked.append(query)
        if self.fault:
            raise self.fault
        return self.scores[: len(candidates)]

    async def rewrite(self, query: str, chosen: Edge) -> str:
        if isinstance(self.rewritten, Exception):
            raise self.rewritten
        return chosen.query(self.rewritten)


def octopus(*probabilities: float, scorer: ScriptedScorer | None = None, **settings: Any) -> RemoteOctopus:
    scores = ScriptedScorer([math.log(p) for p in probabilities])
    return RemoteOctopus(NodeName("m"), NEIGHBOURS, scorer or scores, **settings)


STEP = Step(MATHS, "2 + 2?", "4", "answered")


async def test_probabilities_are_those_of_the_neighbours_alone() -> None:
    remote = octopus(0.06, 0.02)
    route = await remote.route([HumanMessage("2 + 2?")])
    assert (route.node, route.token, route.rewritten) == (MATHS, "<nexa_0>", "Count: as asked")
    assert [choice.probability for choice in route.choices] == pytest.approx([0.75, 0.25])
    assert not route.calibrated
    await remote.route([HumanMessage("2 + 2?")])
    assert remote.scorer.probes == 1  # type: ignore[attr-defined]


async def test_a_fitted_temperature_calibrates() -> None:
    route = await octopus(0.08, 0.02, temperature=2.0).route([HumanMessage("2 + 2?")])
    assert route.calibrated
    assert route.probability == pytest.approx(2 / 3)


async def test_a_follow_up_is_asked_with_what_it_refers_to() -> None:
    area = "What is the area of Kenya?"
    follow_up = Reading(np.array([0.9, 0.1, 0.0]), 0.9, area, 0)

    def read(turns: Sequence[Turn]) -> Reading:
        return (
            follow_up
            if turns[-1].text.startswith("Double")
            else Reading(np.array([0.1, 0.9, 0.0]), 0.1, "", 0)
        )

    remote = octopus(0.6, 0.4, read=read)
    talk = [HumanMessage(area), AIMessage("580,000 km²"), HumanMessage("Double it.")]
    route = await remote.route(talk)
    assert remote.scorer.asked == ["Double it.\n\n[Follow-up to: What is the area of Kenya?]"]  # type: ignore[attr-defined]
    assert (route.question, route.refers_to) == ("Double it.", area)
    assert route.probability == pytest.approx(1 / (1 + np.sqrt(0.4 * 0.1 / (0.6 * 0.9))))
    assert route.reason == "stays with maths: follow-up (0.79)."
    await remote.route([*talk[:2], HumanMessage("Who invented the telephone?")])
    assert remote.scorer.asked[-1] == "Who invented the telephone?"  # type: ignore[attr-defined]


async def test_the_walk_goes_on_or_ends() -> None:
    remote = octopus(0.1, 0.2, 0.7)
    route = await remote.route([HumanMessage("2 + 2?")], [STEP])
    assert (route.node, route.token) == (None, END_TOKEN)
    assert [choice.node for choice in route.choices] == [END.node, LAW, MATHS]
    assert remote.scorer.asked == ["2 + 2?\n\n[Answer of maths: 4]"]  # type: ignore[attr-defined]
    route = await octopus(0.1, 0.8, 0.1).route([HumanMessage("2 + 2?")], [STEP])
    assert (route.node, route.token) == (LAW, "<nexa_1>")
    route = await octopus(0.3, 0.4, 0.3, threshold=0.5).route([HumanMessage("2 + 2?")], [STEP])
    assert (route.node, route.token) == (None, END_TOKEN)


async def test_it_may_abstain() -> None:
    assert (await octopus(0.1, 0.1, 0.8).route([HumanMessage("?!")])).node is not None
    route = await octopus(0.1, 0.1, 0.8, abstains=True).route([HumanMessage("?!")])
    assert (route.node, route.token, route.decided_by) == (None, None, "ask")
    assert {choice.node for choice in route.choices} == {MATHS, LAW}
    assert route.probability == pytest.approx(0.1)  # of the best neighbour


async def test_below_the_threshold_the_generalist_takes_it() -> None:
    route = await octopus(0.5, 0.5, threshold=0.9, generalist=LAW).route([HumanMessage("?!")])
    assert (route.node, route.decided_by, route.probability) == (LAW, "generalist", 0.5)
    route = await octopus(0.5, 0.5, threshold=0.9).route([HumanMessage("?!")])
    assert (route.node, route.token, route.decided_by) == (None, None, "ask")


async def test_below_the_threshold_examples_and_the_parent_come_first() -> None:
    known: dict[str, Any] = {"threshold": 0.9, "generalist": LAW, "parent": MATHS}
    near, far = Example(1, "Is it theft?", 0.9), Example(1, "Is it theft?", 0.1)
    unsure = octopus(0.5, 0.5, **known, nearest_example=lambda query: near if "stole" in query else far)
    route = await unsure.route([HumanMessage("They stole it.")])
    assert (route.node, route.decided_by) == (LAW, "examples")
    assert "'Is it theft?' of law is near" in route.reason
    route = await unsure.route([HumanMessage("?!")])
    assert (route.node, route.decided_by) == (MATHS, "parent")


async def test_a_malformed_rewrite_sends_the_original() -> None:
    scorer = ScriptedScorer(
        [0.0, -1.0], MalformedCallError("the Octopus wrote an empty query.", "empty rewrite")
    )
    route = await octopus(scorer=scorer).route([HumanMessage("2 + 2?")])
    assert route.rewritten == "Count: 2 + 2?"
    assert "the Octopus wrote an empty query. So the original was sent." in route.reason


async def test_a_refused_rewrite_sends_the_original_to_the_chosen() -> None:
    scorer = ScriptedScorer([0.0, -1.0], ModelUnavailableError("the Octopus refuses: too long."))
    route = await octopus(scorer=scorer).route([HumanMessage("2 + 2?")])
    assert (route.node, route.rewritten) == (MATHS, "Count: 2 + 2?")
    assert "the Octopus refuses: too long. So the original was sent." in route.reason


@pytest.mark.parametrize(
    "error", [ModelUnavailableError("the server is away."), RoutingError("it chose '<nexa_9>'.")]
)
async def test_without_a_fallback_faults_are_raised(error: Exception) -> None:
    scorer = ScriptedScorer([], fault=error)
    with pytest.raises(type(error)):
        await octopus(scorer=scorer).route([HumanMessage("2 + 2?")])
    embedded = ScriptedOctopus([route_to("law", "<nexa_1>")])
    route = await octopus(scorer=scorer, fallback=embedded).route([HumanMessage("2 + 2?")])
    assert route.node == LAW
    assert route.reason.startswith(str(error))


async def test_bad_input_is_no_matter_for_the_fallback() -> None:
    with pytest.raises(InputError):
        await octopus(0.5, 0.5, fallback=ScriptedOctopus([])).route([HumanMessage(" ")])


@pytest.mark.parametrize("scores", [[0.0], [0.0, math.nan], [0.0, math.inf], [-math.inf, -math.inf]])
def test_scores_that_are_none(scores: list[float]) -> None:
    with pytest.raises(RoutingError):
        probabilities(NEIGHBOURS, scores)
