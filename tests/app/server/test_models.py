"""The graphs that are served, by the names that clients use."""

from __future__ import annotations

from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore

from agents.errors import SpecError
from app.server.api_keys import Caller
from app.server.errors import ApiError
from app.server.models import open_graphs
from app.settings import Settings
from tests.app.server.live import CUBE, HOUSE

ALICE = Caller("alice", frozenset({"chat"}))


def written(folder: Path, *names: str) -> tuple[str, ...]:
    files = [folder / f"{k}.yaml" for k in range(len(names))]
    for file, name in zip(files, names, strict=True):
        file.write_text(HOUSE.replace("name: house", f"name: {name}"))
    return tuple(map(str, files))


async def test_a_model_is_a_graph_or_one_of_its_workers(tmp_path: Path) -> None:
    saver, settings = InMemorySaver(), Settings.read({"OCTOPUS_HOME": str(tmp_path)})
    async with open_graphs(written(tmp_path, "house", "shed"), settings, saver, InMemoryStore()) as graphs:
        assert [model.id for model in graphs if model.worker is None] == ["house", "shed"]
        worker = graphs.get("shed/maths")
        assert (worker.graph, worker.reads) == ("shed", frozenset())
        assert worker.description.startswith("Calculus")
        with pytest.raises(ApiError, match="no such model") as caught:
            graphs.get("shed/cellar")
        assert (caught.value.status, caught.value.code) == (404, "model_not_found")


async def test_a_run_keeps_what_is_the_callers_only_in_a_thread(tmp_path: Path) -> None:
    saver, settings = InMemorySaver(), Settings.read({"OCTOPUS_HOME": str(tmp_path)})
    async with open_graphs(written(tmp_path, "house"), settings, saver, InMemoryStore()) as graphs:
        model = graphs.get("house")
        kept = model.run([HumanMessage(CUBE)], ALICE, "t")
        assert (kept.key, kept.model, kept.graph.checkpointer) == ("alice/t", "house", saver)
        forgotten = model.run([HumanMessage(CUBE)], ALICE)
        assert (forgotten.key, forgotten.graph.checkpointer) == (None, None)


async def test_two_graphs_of_one_name_are_refused(tmp_path: Path) -> None:
    settings = Settings.read({"OCTOPUS_HOME": str(tmp_path)})
    with pytest.raises(SpecError, match="'house'"):
        async with open_graphs(
            written(tmp_path, "house", "house"), settings, InMemorySaver(), InMemoryStore()
        ):
            pass
