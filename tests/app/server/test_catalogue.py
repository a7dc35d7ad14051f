"""Models, and graphs to draw."""

from __future__ import annotations

import openai
import pytest

from tests.app.server.live import Live


def test_models_are_graphs_and_their_workers(live: Live) -> None:
    with live.openai() as client:
        assert [model.id for model in client.models.list()] == ["house", "house/cooking", "house/maths"]
        assert client.models.retrieve("house/maths").id == "house/maths"
        with pytest.raises(openai.NotFoundError, match="There is no such model"):
            client.models.retrieve("house/cellar")


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
