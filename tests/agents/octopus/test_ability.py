from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from agents.octopus.ability import AbilityOctopus, Able, Together
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.zero_shot import ZeroShotHead
from agents.types import Choice, Decision, Edge, FunctionalToken, NodeName
from agents.workers.specialist import Specialist
from agents.workers.tool_agent import EncoderChooser, ToolAgent
from tests.scripted import ScriptedOctopus, ScriptedWorker
from tools.registry import functions
from tools.sandbox import Sandbox

MATH, LAW, TALK = NodeName("math"), NodeName("law"), NodeName("talk")
EDGES = {
    node: Edge(node, FunctionalToken(f"<nexa_{k}>"), f"{node}: {{query}}", examples=examples)
    for k, (node, examples) in enumerate([(MATH, ()), (LAW, ("Is a nod a contract?",)), (TALK, ())])
}
TO_LAW = Decision(
    node=LAW,
    token=EDGES[LAW].token,
    probability=0.7,
    rewritten="law: as the Octopus wrote it",
    reason="law has the highest probability, 0.70.",
    decided_by="token",
    calibrated=True,
    choices=tuple(Choice(EDGES[n].token, n, p) for n, p in ((LAW, 0.7), (MATH, 0.2), (TALK, 0.05))),
    question="as it was asked",
)


@pytest.fixture(scope="module")
def calculator(encoder: Encoder) -> Iterator[ToolAgent]:
    """The real tools of arithmetic."""
    own = functions("arithmetic", "number_theory")
    with_head = EncoderChooser(own, encoder, lambda said: ZeroShotHead.build(said, encoder.embed))
    sandbox = Sandbox()
    yield ToolAgent(own, with_head, sandbox)
    sandbox.close()


@dataclass
class Around:
    """An Octopus that says `decision`, with neighbours of these abilities around it."""

    abilities: dict[NodeName, Able | None]
    decision: Decision = TO_LAW
    generalist: NodeName | None = TALK

    async def __call__(self, *turns: str) -> Decision:
        """The decision for the last turn, after answers to those before it."""
        octopus = ScriptedOctopus([self.decision])
        said: list[BaseMessage] = []
        for turn in turns[:-1]:
            said += [HumanMessage(turn), AIMessage("Yes.")]
        around = AbilityOctopus(octopus, EDGES, lambda: self.abilities, self.generalist)
        return await around.route([*said, HumanMessage(turns[-1])])


@pytest.fixture
def around(calculator: ToolAgent) -> Around:
    """Only talk has a model; only math computes."""
    return Around(
        {
            MATH: Specialist("math", tools=calculator),
            LAW: Specialist("law"),
            TALK: Specialist("talk", model=ScriptedWorker()),
        }
    )


async def test_a_question_that_tools_read_in_full_is_evidence_for_them(around: Around) -> None:
    decision = await around("What is 9.11 - 9.9?")
    assert (decision.node, decision.token, decision.decided_by) == (MATH, "<nexa_0>", "tools")
    assert decision.probability == pytest.approx(0.99)
    assert sum(choice.probability for choice in decision.choices) == pytest.approx(1)
    assert decision.choices[1].node == LAW  # the others keep their order
    assert decision.rewritten == "math: as it was asked"
    for fact in ("arithmetic.evaluate", "law has the highest probability, 0.70"):
        assert fact in decision.reason


async def test_where_the_octopus_agrees_its_rewrite_stands(around: Around) -> None:
    to_math = replace(TO_LAW, node=MATH, token=EDGES[MATH].token, rewritten="math: well put")
    around.decision = to_math
    decision = await around("What is 9.11 - 9.9?")
    assert (decision.node, decision.rewritten, decision.decided_by) == (MATH, "math: well put", "token")


@pytest.mark.parametrize("words", ["Why is 97 prime?", "Who may sue a landlord?", "12 reasons to sue?"])
async def test_what_tools_do_not_read_in_full_is_no_evidence(around: Around, words: str) -> None:
    around.abilities[LAW] = Specialist("law", model=ScriptedWorker())
    assert await around(words) == TO_LAW


async def test_what_its_neighbour_can_neither_compute_nor_say_goes_to_the_generalist(around: Around) -> None:
    decision = await around("Who may sue a landlord?")
    assert (decision.node, decision.decided_by) == (TALK, "generalist")
    assert decision.probability == 0.05
    assert decision.reason.startswith("law has the highest probability")


async def test_without_a_model_anywhere_the_decision_stands(around: Around) -> None:
    around.abilities[TALK] = Specialist("talk")
    assert await around("Who may sue a landlord?") == TO_LAW


async def test_without_a_generalist_the_decision_stands(around: Around) -> None:
    around.generalist = None
    assert await around("Who may sue a landlord?") == TO_LAW
    assert (await around("Hello!")).node == LAW


async def test_an_example_belongs_to_its_own_neighbour(around: Around) -> None:
    around.decision = replace(TO_LAW, node=TALK, token=EDGES[TALK].token)
    decision = await around("is a nod a contract")
    assert (decision.node, decision.decided_by) == (LAW, "examples")
    assert decision.probability == pytest.approx(0.99)


async def test_a_greeting_goes_to_the_generalist_with_or_without_a_model(around: Around) -> None:
    for able in (Specialist("talk", model=ScriptedWorker()), Specialist("talk")):
        around.abilities[TALK] = able
        decision = await around("Hello!")
        assert (decision.node, decision.decided_by) == (TALK, "generalist")


async def test_thanks_stay_with_a_worker_that_speaks(around: Around) -> None:
    around.abilities[LAW] = Specialist("law", model=ScriptedWorker())
    assert await around("Who may sue a landlord?", "Thanks!") == TO_LAW
    around.abilities[LAW] = Specialist("law")
    assert (await around("Who may sue a landlord?", "Thanks!")).node == TALK


async def test_a_worker_that_does_not_say_is_taken_to_speak(around: Around) -> None:
    around.abilities[LAW] = None
    assert await around("Who may sue a landlord?") == TO_LAW


async def test_where_nobody_was_chosen_tools_still_count(around: Around) -> None:
    nobody = replace(TO_LAW, node=None, token=None, decided_by="ask", choices=())
    around.decision = nobody
    decision = await around("12 * 12")
    assert (decision.node, decision.probability, decision.decided_by) == (MATH, 1.0, "tools")


async def test_a_node_that_routes_can_do_what_its_neighbours_can(around: Around) -> None:
    below = Together([around.abilities[MATH], around.abilities[LAW]])
    assert below.reads("12 * 12") == "arithmetic.evaluate"
    assert not below.reads("Hello")
    assert not below.speaks
    assert Together([below, around.abilities[TALK]]).speaks
    assert Together([None]).speaks


async def test_where_words_speak_for_none_of_those_that_read_it_the_generalist_takes_it(
    around: Around, calculator: ToolAgent
) -> None:
    around.abilities[TALK] = Specialist("talk", tools=calculator)
    math = next(one for one in TO_LAW.choices if one.node == MATH)
    for probability, taker in ((0.2, MATH), (0.06, TALK)):
        rest = (one for one in TO_LAW.choices if one.node != MATH)
        choices = (*rest, replace(math, probability=probability))
        around.decision = replace(TO_LAW, choices=choices, question="What is 17 * 23?")
        decision = await around("What is 17 * 23?")
        assert (decision.node, decision.decided_by) == (taker, "tools")
        assert decision.reason.startswith(f"{taker}'s tool arithmetic.evaluate reads the whole question.")


async def test_who_takes_what_is_in_doubt_is_not_told_where_a_tool_decides(around: Around) -> None:
    doubt = "The best neighbour, law, has only 0.10 of the 0.20 needed, so talk takes it as the generalist."
    question = "What is 17 * 23?"
    around.decision = replace(TO_LAW, node=TALK, reason=doubt, decided_by="generalist", question=question)
    decision = await around(question)
    assert decision.reason == "math's tool arithmetic.evaluate reads the whole question."
