"""Beyond one hop, over the API: parts, walks, reflection, budgets, people who are asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.app.server.live import BREAD, CUBE, Live, serving
from tests.loopback import ChatServer

BOTH = "How do I bake bread, and what is the derivative of x^3 at x = 2?"

WALKS = """\
name: walks
description: Two experts that hand over.
masters:
  chief: {neighbours: [cooking, maths], octopus: {threshold: 0.1}}
workers:
  cooking:
    description: Recipes, and how to cook and bake food.
    price: {input: 1000, output: 2000}
    neighbours: [chef]
    stronger: chef
  chef: {description: "The best of all cooks."}
  maths: {description: "Calculus: derivatives, integrals and limits of functions.", tools: [calculus]}
"""


def chunks(live: Live, question: str, thread: str | None = None, **octopus: Any) -> list[Any]:
    with live.openai() as client:
        return list(
            client.chat.completions.create(
                model="house",
                messages=[{"role": "user", "content": question}],
                stream=True,
                extra_headers={"X-Octopus-Thread": thread} if thread else {},
                extra_body={"octopus": octopus},
            )
        )


@pytest.fixture(scope="module")
def walks(_chat: ChatServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("walks")
    with serving(folder, WALKS, OCTOPUS_MODEL=f"openai:tiny@{_chat.url}") as live:
        yield live


def test_parts_are_answered_in_parallel_and_joined(live: Live, chat: ChatServer) -> None:
    chat.words = ["Knead", " and", " bake."]
    before = live.metric("octopus_routes_total")
    found = live.ask(BOTH)
    assert sorted(found["octopus"]["path"]) == ["cooking", "maths"]
    text = found["choices"][0]["message"]["content"]
    assert text.index("Knead and bake.") < text.index("12\n")
    assert live.metric("octopus_routes_total") - before == 2
    streamed = chunks(live, BOTH)
    said = [c.choices[0].delta.content for c in streamed if c.choices[0].delta.content]
    assert said == [text]  # the words of branches do not mix
    thoughts = "".join(getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in streamed)
    assert "<nexa_0> cooking" in thoughts
    assert "<nexa_1> maths" in thoughts


def test_where_the_octopus_abstains_the_path_is_empty(tmp_path: Path) -> None:
    unsure = WALKS.replace("threshold: 0.1", "threshold: 1.0")
    with serving(tmp_path, unsure) as live, live.http() as client:
        found = live.ask(BREAD, model="walks", thread="unsure")["error"]["octopus"]
        steps = client.get("/threads/unsure/history").json()["data"]
    assert ([hop["node"] for hop in found["hops"]], found["path"]) == ([""], [])
    assert [step["path"] for step in steps] == [[] for _ in steps]


@pytest.mark.parametrize("streamed", [False, True])
def test_drafts_are_not_the_answer(live: Live, chat: ChatServer, streamed: bool) -> None:
    options: dict[str, Any] = {"reflection": "basic", "reflection_rounds": 2}
    before = live.metric("octopus_reflection_rounds_total")
    if streamed:
        told = chunks(live, BREAD, **options)
        assert [c.choices[0].delta.content for c in told if c.choices[0].delta.content] == ["Forty-two."]
        octopus = told[-1].octopus
    else:
        answer = live.ask(BREAD, octopus=options)
        octopus = answer["octopus"]
        assert answer["usage"]["completion_tokens"] == 4 * len(chat.requests)  # all drafts and criticism
    assert len(octopus["hops"][0]["evidence"]["reflection"]["rounds"]) == 2
    assert live.metric("octopus_reflection_rounds_total") - before == 2


def test_lessons_are_ones_own(live: Live, chat: ChatServer) -> None:
    chat.words = ["SCORE: 2/10 Too short."]
    options = {"reflection": "reflexion", "reflection_rounds": 2}

    def first_draft(name: str, thread: str) -> str:
        chat.requests.clear()
        live.ask(BREAD, name=name, thread=thread, octopus=options)
        return str(chat.requests[0][1]["messages"][-1]["content"])

    assert "An earlier answer" not in first_draft("alice", "lesson-1")
    assert "An earlier answer" in first_draft("alice", "lesson-2")
    assert "An earlier answer" not in first_draft("bob", "lesson-1")


def test_finished_turns_are_logged_where_that_is_wanted(tmp_path: Path) -> None:
    log = tmp_path / "traces.jsonl"
    with serving(tmp_path, OCTOPUS_TRACES=str(log)) as own:
        own.ask(f"{CUBE} I am ada@example.org.")
    (kept,) = map(json.loads, log.read_text().splitlines())
    assert (kept["graph"], kept["hops"][0]["node"]) == ("house", "maths")
    assert "ada@" not in kept["question"]


def test_a_walk_of_two_hops_and_what_it_costs(walks: Live, chat: ChatServer) -> None:
    octopus = walks.ask(BREAD, model="walks", octopus={"escalate_below": 1.0})["octopus"]
    assert octopus["path"] == ["cooking", "chef"]
    assert octopus["cost"] == pytest.approx((1000 * 7 + 2000 * 4) / 1e6)
    assert octopus["tokens"] == 22
    assert walks.metric("octopus_cost_dollars_total") == pytest.approx(octopus["cost"])
    octopus = walks.ask(BREAD, model="walks", octopus={"escalate_below": 1.0, "max_hops": 1})["octopus"]
    assert octopus["path"] == ["cooking"]
    assert octopus["ended"] == ["The budget of 1 hops is used up."]


@pytest.mark.parametrize("answer", ["y", "n", "cooking"])
def test_a_step_waits_for_approval(live: Live, chat: ChatServer, answer: str) -> None:
    thread = f"approve-{answer}"
    asked = live.ask(CUBE, thread=thread, octopus={"approve": True})
    assert "<nexa_1> maths" in asked["choices"][0]["message"]["content"]
    assert "Go on?" in asked["choices"][0]["message"]["content"]
    (question,) = asked["octopus"]["asked"]
    assert (question["kind"], asked["octopus"]["path"]) == ("approve", [])
    with live.http() as client:
        assert client.get(f"/threads/{thread}").json()["asked"] == [question]
    assert live.ask(CUBE, thread=thread)["octopus"]["asked"] == [question]  # the question repeated
    done = live.ask(answer, thread=thread)  # without `approve`: the turn keeps what it began with
    if answer == "n":
        assert done["error"]["type"] == "invalid_request_error"
        assert done["error"]["octopus"]["hops"][-1]["node"] == ""
    else:
        text, hops = done["choices"][0]["message"]["content"], done["octopus"]["hops"]
        expected = {"y": ("12\n", "maths"), "cooking": ("Forty-two.", "cooking")}
        assert text.startswith(expected[answer][0])
        assert hops[-1]["node"] == expected[answer][1]
    assert not chat.requests or answer == "cooking"
    with live.http() as client:
        found = client.get(f"/threads/{thread}").json()
    assert (found["asked"], found["next"], len(found["messages"])) == ([], [], 2)


def test_an_answer_in_the_extension_field(live: Live) -> None:
    live.ask(CUBE, thread="field", octopus={"approve": True})
    wrong = live.ask("?", thread="field", octopus={"resume": {"x": "y"}})
    assert wrong["error"]["code"] == "nothing_asked"
    told = chunks(live, CUBE, "field", resume="y")
    assert told[-1].octopus["path"] == ["maths"]
    for thread in ("field", "fresh", None):
        answer = live.ask("?", thread=thread, octopus={"resume": "y"})
        assert (answer["error"]["code"], answer["error"]["type"]) == (
            "nothing_asked",
            "invalid_request_error",
        )


def test_who_fits_is_asked(walks: Live) -> None:
    asked = walks.ask("Zzyzx qwrtp?", model="walks", thread="who", octopus={"ask_user": True})
    assert asked["octopus"]["asked"][0]["kind"] == "ask"
    assert "A node, or more words:" in asked["choices"][0]["message"]["content"]
    done = walks.ask("maths", model="walks", thread="who")
    assert (done["octopus"]["path"], done["octopus"]["asked"]) == (["maths"], [])
    assert done["octopus"]["hops"][0]["reason"] == "You chose maths."


def test_whoever_is_asked_needs_a_thread(live: Live) -> None:
    for option in ("approve", "ask_user"):
        answer = live.ask(CUBE, octopus={option: True})
        assert answer["error"]["code"] == "thread_needed"
    with live.openai() as client, pytest.raises(openai.BadRequestError, match="X-Octopus-Thread"):
        client.responses.create(
            model="house", input=CUBE, store=False, extra_body={"octopus": {"approve": True}}
        )
