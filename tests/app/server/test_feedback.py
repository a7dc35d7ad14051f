"""Feedback over HTTP, and a router trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.app.server.live import CUBE, Live
from training.rows.labelled_rows import read_router_rows


def test_feedback_trains_a_router(place: Live, tmp_path: Path) -> None:
    # Bob, who judges in no other test of this server.
    first = place.ask(CUBE, name="bob", thread="judged")["octopus"]["hops"][0]["turn"]
    place.ask("How do I bake bread?", name="bob", thread="judged")
    with place.http("bob") as client:

        def judge(**values: Any) -> int:
            return client.post("/threads/judged/feedback", json=values).status_code

        assert judge(turn=first, thumb="up") == 201
        assert judge(thumb="down") == 201
        assert (
            judge(thumb="down", node="maths", comment="dough has a limit") == 201
        )  # replaces the one before
        assert judge(thumb="down", node="cellar") == 400
        assert judge(thumb="down", hop=1) == 404
        assert judge(thumb="down", turn="x") == 404
        rows = tmp_path / "rows.jsonl"
        rows.write_text(client.get("/feedback", params={"training": True}).text)
        found = sorted((row.query, row.node) for row in read_router_rows([rows], ["cooking", "maths"]))
        assert found == [("How do I bake bread?", "maths"), (CUBE, "maths")]
        assert judge(thumb="down") == 201
        assert len(client.get("/feedback").text.splitlines()) == 2
        assert len(client.get("/feedback", params={"training": True}).text.splitlines()) == 1
        client.delete("/threads/judged")
        assert client.get("/feedback").text == ""
