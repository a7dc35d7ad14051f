"""Turns of a thread, and where to fork them."""

from __future__ import annotations

from tests.app.server.live import BREAD, CUBE, Live
from tests.loopback import ChatServer


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
