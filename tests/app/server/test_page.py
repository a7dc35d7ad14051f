"""What the page is made of: its files, the graphs to draw, and the turns of a thread."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.app.server.live import BREAD, CUBE, Live
from tests.loopback import ChatServer

WEB = Path("app/server/web")


def test_the_page_may_load_and_reach_only_its_own_server(live: Live) -> None:
    with live.http(None) as client:
        for path in ("/", "/web/main.js", "/web/style.css", "/web/octopus.svg"):
            reply = client.get(path)
            assert reply.status_code == 200
            policy = reply.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
            assert "require-trusted-types-for 'script'" in policy and "frame-ancestors 'none'" in policy
            assert reply.headers["x-content-type-options"] == "nosniff"
            again = client.get(path, headers={"If-None-Match": reply.headers["etag"]})
            assert again.status_code in (200, 304)
        for path in ("/web/nothing.js", "/web/../pyproject.toml", "/web/%2e%2e/page.py", "/web//etc/passwd"):
            assert client.get(path).status_code in (401, 404), path
        assert client.post("/render", json={"text": "x"}).status_code == 401


def test_the_page_names_no_other_place() -> None:
    for file in WEB.iterdir():
        places = re.findall(r"https?://[^\s\"')]+", file.read_text())
        assert set(places) <= {"http://www.w3.org/2000/svg"}, file
    named = re.findall(r'(?:src|href)="(/[^"]*)"', (WEB / "index.html").read_text())
    imported = {
        name for file in WEB.glob("*.js") for name in re.findall(r'from "\./(\S+)";', file.read_text())
    }
    assert {Path(name).name for name in named} | imported == {
        file.name for file in WEB.iterdir() if file.name != "index.html"
    }


def test_markdown_is_rendered_within_bounds(live: Live) -> None:
    with live.http() as client:
        reply = client.post("/render", json={"text": "*b*\n\nc"})
        assert reply.json()["blocks"][1] == {"html": "<p>c</p>\n", "line": 2}
        assert client.post("/render", json={"text": "x" * 32_000}).status_code == 200
        assert client.post("/render", json={"text": "x" * 32_001}).status_code == 400


def test_a_graph_to_draw(live: Live) -> None:
    with live.http() as client:
        assert client.get("/graphs").json()["data"] == [{"id": "house", "description": "A small house."}]
        graph = client.get("/graphs/house").json()
        assert [(n["id"], n["kind"], n["tools"]) for n in graph["nodes"]] == [
            ("chief", "master", []),
            ("cooking", "worker", []),
            ("maths", "worker", ["calculus"]),
        ]
        assert graph["entry"] == "chief"
        assert graph["edges"][1] == {"source": "chief", "target": "maths", "token": "<nexa_1>"}
        assert client.get("/graphs/nowhere").json()["error"]["code"] == "not_found"


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


@pytest.mark.parametrize("wait", [0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08])
def test_a_client_that_leaves_at_any_moment_and_asks_again_is_not_taken_twice(
    live: Live, wait: float
) -> None:
    thread = f"left{wait}"
    body = {"model": "house", "stream": True, "messages": [{"role": "user", "content": BREAD}]}
    live.ask(CUBE, thread=thread)
    with live.http() as client:
        header = {"X-Octopus-Thread": thread}
        with client.stream("POST", "/v1/chat/completions", json=body, headers=header):
            time.sleep(wait)
        time.sleep(0.2)
        if len(client.get(f"/threads/{thread}").json()["messages"]) < 4:
            assert live.ask(BREAD, thread=thread)["octopus"]["path"] == ["cooking"]
        found = client.get(f"/threads/{thread}").json()
        assert [message["role"] for message in found["messages"]] == ["user", "assistant"] * 2
        assert [hop["node"] for hop in found["hops"]] == ["cooking"]
