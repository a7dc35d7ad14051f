"""Threads over HTTP, and that nobody sees another's."""

from __future__ import annotations

import json
from typing import Any

from tests.app.server.live import BREAD, CUBE, Live
from tests.loopback import ChatServer


def test_a_thread_from_its_birth_to_its_end(place: Live) -> None:
    with place.http() as client:
        place.ask("What is the derivative of x^3?", thread="work")
        place.ask("And its second derivative?", thread="work")
        found = client.get("/threads/work").json()
        assert [message["role"] for message in found["messages"]] == ["user", "assistant"] * 2
        assert (found["model"], found["next"], len(found["hops"])) == ("house", [], 1)
        (listed,) = [t for t in client.get("/threads").json()["data"] if t["id"] == "work"]
        assert (listed["title"], listed["model"]) == ("What is the derivative of x^3?", "house")
        lines = client.get("/threads/work/export").text.splitlines()
        assert json.loads(lines[0])["thread_id"] == "work"
        assert len(lines) == 1 + listed["checkpoints"]
        assert client.delete("/threads/work").status_code == 204
        assert client.get("/threads/work").status_code == 404
        assert "work" not in [t["id"] for t in client.get("/threads").json()["data"]]


def test_pages_of_threads(place: Live) -> None:
    with place.http("bob") as client:
        for other in client.get("/threads", params={"limit": 100}).json()["data"]:
            client.delete(f"/threads/{other['id']}")
    for number in range(3):
        place.ask(CUBE, name="bob", thread=f"page{number}")
    with place.http("bob") as client:
        first = client.get("/threads", params={"limit": 2}).json()
        assert ([t["id"] for t in first["data"]], first["has_more"]) == (["page2", "page1"], True)
        rest = client.get("/threads", params={"limit": 100, "after": "page1"}).json()
        assert (rest["data"][0]["id"], rest["has_more"]) == ("page0", False)


def test_a_fork_before_the_answer_asks_another_worker(place: Live) -> None:
    place.ask(CUBE, thread="trunk")
    with place.http() as client:
        steps = client.get("/threads/trunk/history").json()["data"]
        assert [step["next"] for step in steps] == [
            [],
            ["answer"],
            ["maths"],
            ["chief"],
            ["guard"],
            ["__start__"],
        ]
        fork = {"id": "branch", "checkpoint": steps[-1]["checkpoint"]}
        assert client.post("/threads/trunk/fork", json=fork).json() == {"id": "branch"}
        assert client.post("/threads/trunk/fork", json=fork).status_code == 409
        other = place.ask(CUBE, thread="branch", model="house/cooking")
        assert (other.get("octopus") or other["error"]["octopus"])["path"] == ["cooking"]
        assert client.get("/threads/trunk").json()["hops"][0]["node"] == "maths"
        # The end of the trunk, under a name that the server makes up; then from the middle of the turn.
        whole = client.post("/threads/trunk/fork", json={}).json()["id"]
        assert len(client.get(f"/threads/{whole}").json()["messages"]) == 2
        middle = {"id": "middle", "checkpoint": steps[2]["checkpoint"]}
        client.post("/threads/trunk/fork", json=middle)
        assert client.get("/threads/middle").json()["next"] == ["maths"]
        assert place.ask(CUBE, thread="middle")["octopus"]["path"] == ["maths"]
        nowhere = client.post("/threads/trunk/fork", json={"checkpoint": "nowhere"})
        assert nowhere.status_code == 404


def test_another_callers_thread_is_as_one_that_is_not_there(place: Live) -> None:
    place.ask(CUBE, thread="private")
    with place.http() as alice, place.http("bob") as bob:
        step = alice.get("/threads/private/history").json()["data"][0]["checkpoint"]
        alice.post("/threads/private/feedback", json={"thumb": "up"})
        spec: Any = bob.get("/openapi.json").json()
        tried = 0
        for path, methods in spec["paths"].items():
            for method in set(methods) if "{thread}" in path else set():
                body = {"id": "stolen", "checkpoint": step, "thumb": "up"} if method == "post" else None
                theirs, nobodys = (
                    bob.request(method, path.format(thread=thread), json=body)
                    for thread in ("private", "nobodys")
                )
                assert theirs.status_code == nobodys.status_code == 404, (method, path)
                assert theirs.content == nobodys.content
                tried += 1
        assert tried >= 6
        assert "private" not in bob.get("/threads").text
        assert bob.get("/feedback").text == ""
        # The same name is another thread of one's own; no spelling of it reaches the other.
        assert len(place.ask(CUBE, name="bob", thread="private")["octopus"]["hops"]) == 1
        assert len(alice.get("/threads/private").json()["messages"]) == 2
        for name in ("alice/private", "alice%2Fprivate", "../alice/private", "%2e%2e/alice/private"):
            assert bob.get(f"/threads/{name}").status_code in (400, 404)
        reply = bob.post(
            "/v1/chat/completions",
            json={"model": "house", "messages": [{"role": "user", "content": CUBE}]},
            headers={"X-Octopus-Thread": "../alice/private"},
        )
        assert reply.status_code == 400
        bob.delete("/threads/private")
        assert alice.get("/threads/private").status_code == 200


def test_what_another_caller_has_shows_in_no_other_way(place: Live) -> None:
    with place.openai() as client:
        theirs = client.responses.create(model="house", input=CUBE).id
    thread = theirs.removeprefix("resp_").rpartition(".")[0]
    place.ask(CUBE, name="bob", thread="own")
    with place.http("bob") as bob:

        def respond(previous: str) -> bytes:
            body = {"model": "house", "input": CUBE, "previous_response_id": previous}
            reply = bob.post("/v1/responses", json=body)
            assert reply.status_code == 404
            return reply.content

        assert respond(theirs) == respond("resp_nobodys.1")
        # A name that another caller uses is free.
        assert bob.post("/threads/own/fork", json={"id": thread}).status_code == 201
        pages = [bob.get("/threads", params={"after": after}).content for after in ("alices", "nobodys")]
        assert pages[0] == pages[1]
        assert bob.delete(f"/threads/{thread}").status_code == 204
    with place.http() as alice:
        assert alice.get(f"/threads/{thread}").status_code == 200


def test_turns_and_where_to_fork_them(live: Live) -> None:
    live.ask(CUBE, thread="turns")
    live.ask(f"{BREAD} {CUBE}", thread="turns")
    with live.http() as client:
        first, second = client.get("/threads/turns/turns").json()["data"]
        assert [(turn["before"], turn["answered"], turn["model"]) for turn in (first, second)] == [
            (0, True, "house"),
            (2, True, "house"),
        ]
        assert [hop["node"] for hop in first["hops"]] == ["maths"]
        assert sorted(hop["node"] for hop in second["hops"]) == ["cooking", "maths"]
        # Before the second question.
        client.post("/threads/turns/fork", json={"id": "before", "checkpoint": second["checkpoint"]})
        assert len(client.get("/threads/before").json()["messages"]) == 2
        (inherited,) = client.get("/threads/before/turns").json()["data"]
        assert (inherited["before"], inherited["checkpoint"]) == (0, None)
        assert [(hop["node"], hop["checkpoint"]) for hop in inherited["hops"]] == [("maths", None)]
        live.ask(BREAD, thread="before", model="house/maths")
        _, turn = client.get("/threads/before/turns").json()["data"]
        assert (turn["model"], [hop["node"] for hop in turn["hops"]]) == ("house/maths", ["maths"])


def test_a_fork_at_a_hop_does_it_again(live: Live, chat: ChatServer) -> None:
    live.ask(BREAD, thread="hops")
    with live.http() as client:
        (turn,) = client.get("/threads/hops/turns").json()["data"]
        client.post("/threads/hops/fork", json={"id": "again", "checkpoint": turn["hops"][0]["checkpoint"]})
        (cut,) = client.get("/threads/again/turns").json()["data"]
        assert (cut["before"], cut["answered"], cut["checkpoint"], cut["hops"]) == (0, False, None, [])
        chat.words = ["Bake."]
        assert live.ask(BREAD, thread="again")["octopus"]["path"] == ["cooking"]
        found = client.get("/threads/again").json()["messages"]
        assert [message["content"] for message in found] == [BREAD, "Bake."]
        (done,) = client.get("/threads/again/turns").json()["data"]
        assert done["answered"] and [hop["node"] for hop in done["hops"]] == ["cooking"]
