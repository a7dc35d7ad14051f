"""A whole graph whose workers are models in this process, and an Octopus that lets them load meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agents.octopus.served.octopus import RemoteOctopus
from agents.types import Edge, NodeName
from agents.workers.models.local_model import LocalModel
from app.runs.run import Run
from app.runs.runner import Runner
from app.settings import Settings
from graphs.assembly import Assembly, assemble
from graphs.spec_file import load_spec
from tests.tiny_model import save_adapter, save_base

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
]

SPEC = """
masters: {octopus: {neighbours: [maths, law]}}
workers:
  maths: {description: "Solves equations, derivatives and sums.", model: "hf:base#adapters/maths"}
  law: {description: "Answers questions about contracts and crimes.", model: "hf:adapters/law"}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("graph")
    save_base(made / "base")
    for seed, name in enumerate(("maths", "law")):
        save_adapter(made / "base", made / "adapters" / name, seed=seed)
    (made / "graph.yaml").write_text(SPEC, encoding="utf-8")
    return made


@pytest.fixture
def assembly(folder: Path) -> Iterator[Assembly]:
    built = assemble(load_spec(folder / "graph.yaml"), Settings.read({"OCTOPUS_MODEL_MEMORY": "100MB"}))
    yield built
    built.close()
    assert built.models.loaded() == []


async def test_workers_with_adapters_answer_from_one_base_and_stream(assembly: Assembly) -> None:
    graph: Any = assembly.graph().compile()
    answers = {}
    for question, node in (("Solve the equation 2x = 6.", "maths"), ("Is a verbal contract binding?", "law")):
        pieces: list[Any] = []
        values: Any = None
        async for mode, event in graph.astream(
            {"messages": [HumanMessage(question)]}, stream_mode=["messages", "values"]
        ):
            told: Any = event
            if mode == "messages" and told[1]["langgraph_node"] == node:
                pieces.append(told[0])
            values = event if mode == "values" else values
        assert values is not None
        (hop,) = values["hops"]
        assert (hop["node"], hop["status"]) == (node, "answered")
        assert hop["tokens"] > 0
        assert len(pieces) > 1
        assert "".join(str(piece.text) for piece in pieces) == hop["answer"]
        answers[node] = hop["answer"]
    assert answers["maths"] != answers["law"]
    assert len(assembly.models.loaded()) == 1


class SlowScorer:
    """Chooses law at once, and takes its time to rewrite."""

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly
        self.loaded: list[Any] = []

    async def probe(self, candidates: Sequence[Edge]) -> None:
        pass

    async def score(self, query: str, candidates: Sequence[Edge]) -> Sequence[float]:
        return [0.0, 5.0]

    async def rewrite(self, query: str, chosen: Edge) -> str:
        began = time.monotonic()
        while not self.assembly.models.loaded() and time.monotonic() - began < 20:
            await asyncio.sleep(0.01)
        self.loaded = self.assembly.models.loaded()
        return query


async def test_the_chosen_model_loads_while_the_query_is_rewritten(assembly: Assembly) -> None:
    assert assembly.workers
    scorer = SlowScorer(assembly)
    nodes = [Edge(node, token) for node, token in assembly.spec.nodes[NodeName("octopus")].neighbours.items()]
    remote = RemoteOctopus(NodeName("octopus"), nodes, scorer, on_choice=assembly.warm)
    route = await remote.route([HumanMessage("Is a verbal contract binding?")])
    assert route.node == "law"
    assert len(scorer.loaded) == 1


@pytest.mark.parametrize("pieces", [False, True])
async def test_a_run_that_is_stopped_ends_its_generation(
    assembly: Assembly, monkeypatch: pytest.MonkeyPatch, pieces: bool
) -> None:
    counts: list[int] = []
    writing, over = threading.Event(), threading.Event()
    generate = LocalModel.generate

    def watched(self: LocalModel, ids: Any, most: int, on_tokens: Any, *rest: Any, **named: Any) -> list[int]:
        def counted(tokens: Sequence[int]) -> bool:
            counts.append(len(tokens))
            if len(tokens) >= 3:
                writing.set()
            time.sleep(0.01)
            return bool(on_tokens(tokens))

        try:
            return generate(self, ids, most, counted, *rest, **named)
        finally:
            over.set()

    monkeypatch.setattr(LocalModel, "generate", watched)
    run = Run(assembly.graph().compile(name="g"), [HumanMessage("Solve the equation 2x = 6.")], pieces=pieces)
    answering = asyncio.create_task(Runner().answer(run))
    assert await asyncio.to_thread(writing.wait, 60)
    answering.cancel()
    await asyncio.wait([answering])
    written = counts[-1]
    assert await asyncio.to_thread(over.wait, 60)
    assert counts[-1] - written <= 2
