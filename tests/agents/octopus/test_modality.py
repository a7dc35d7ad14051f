"""What is attached decides among neighbours that read it, and a name before any probability."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import HumanMessage

from agents.octopus.ability import ModalityOctopus, NamedOctopus
from agents.octopus.tokens import slot_token
from agents.types import Choice, Decision, Edge, NodeName, Step
from tests.scripted import ScriptedOctopus

LAW, EYE, EAR = map(NodeName, ("law", "eye", "ear"))
EDGES = {
    LAW: Edge(LAW, slot_token(0)),
    EYE: Edge(EYE, slot_token(1), "Look: {query}", modalities=frozenset({"image"})),
    EAR: Edge(EAR, slot_token(2), modalities=frozenset({"image", "audio"})),
}
PIXEL = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
SOUND = {"type": "audio", "base64": "UklGRg==", "mime_type": "audio/wav"}
PICTURE = [HumanMessage([{"type": "text", "text": "What is it?"}, PIXEL])]


def text_says(*probabilities: float) -> ScriptedOctopus:
    choices = [
        Choice(edge.token, node, p)
        for (node, edge), p in zip(EDGES.items(), probabilities, strict=False)
        if p
    ]
    best = max(choices, key=lambda choice: choice.probability)
    decision = Decision(
        best.node,
        best.token,
        best.probability,
        "What is it?",
        "The text says so.",
        "token",
        True,
        tuple(choices),
        "What is it?",
    )
    return ScriptedOctopus([decision])


async def decide(octopus: ScriptedOctopus, conversation: Any, path: Any = (), edges: Any = EDGES) -> Decision:
    return await ModalityOctopus(octopus, edges).route(conversation, path)


async def test_words_are_left_to_the_octopus() -> None:
    octopus = text_says(0.8, 0.2)
    assert await decide(octopus, [HumanMessage("What is it?")]) == octopus.routes[0]
    assert await decide(octopus, PICTURE, [Step(EYE, "", "A cat.", "answered")]) == octopus.routes[0]


async def test_an_image_goes_to_the_most_probable_that_reads_it() -> None:
    decision = await decide(text_says(0.6, 0.3, 0.1), PICTURE)
    assert (decision.node, decision.token, decision.rewritten) == (EYE, slot_token(1), "Look: What is it?")
    assert decision.probability == 0.3 / 0.4
    assert [choice.node for choice in decision.choices] == [EYE, EAR]
    assert "that read images" in decision.reason or "image" in decision.reason
    assert not decision.calibrated


async def test_the_octopus_own_choice_is_kept_where_it_reads_the_image() -> None:
    decision = await decide(text_says(0.1, 0.2, 0.7), PICTURE)
    assert (decision.node, decision.reason, decision.calibrated) == (EAR, "The text says so.", True)


async def test_where_the_text_says_nothing_of_them_all_are_alike() -> None:
    decision = await decide(text_says(1.0), PICTURE)
    assert (decision.node, decision.probability) == (EYE, 0.5)
    assert [choice.probability for choice in decision.choices] == [0.5, 0.5]


async def test_nobody_is_chosen_where_nobody_reads_it() -> None:
    sound = [HumanMessage([{"type": "text", "text": "What is it?"}, SOUND])]
    decision = await decide(text_says(0.6, 0.4), sound, edges={LAW: EDGES[LAW], EYE: EDGES[EYE]})
    assert (decision.node, decision.token, decision.decided_by) == (None, None, "ask")
    assert "No neighbour reads" in decision.reason
    assert "audio" in decision.reason


async def test_a_worker_that_is_asked_for_by_name_takes_it() -> None:
    octopus = text_says(0.7, 0.3)
    decision = await NamedOctopus(octopus, EDGES[EYE]).route([HumanMessage("What is it?")])
    assert (decision.node, decision.token, decision.probability) == (EYE, slot_token(1), 0.3)
    assert decision.rewritten == "What is it?"  # as it was written
    assert "asked for by name" in decision.reason
    assert decision.choices == octopus.routes[0].choices
    assert (await NamedOctopus(octopus, EDGES[EAR]).route([HumanMessage("?")])).probability == 0
