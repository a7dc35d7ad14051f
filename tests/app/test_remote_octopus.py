"""A whole graph whose Octopus is a model on a vLLM server: `octopus ask` and `octopus route`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agents.octopus.causal.grammar import write_call
from agents.octopus.causal.manifest import CallFormat, CausalManifest, CausalMaster, write_manifest
from agents.octopus.tokens import slot_token
from agents.types import NodeName
from app.settings import Settings
from graphs.assembly import assemble, find_spec
from tests.app.conftest import Octopus
from tests.engines import EngineServer, TinyEngine, serving_engine, vllm
from tests.loopback import ChatServer, serving
from tests.tiny_model import make_model, make_tokenizer, teach

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
]

FAITHFUL, LOSSY = "capital of Kenya", "bake 2 loaves"
SPEC = """
octopus: vllm:base#{master}@%s
masters: {octopus: {neighbours: [maths, places, food]}}
workers:
  maths: {description: Solves equations., tools: [calculus]}
  places: {description: Knows countries., model: "openai:m@%s"}
  food: {description: Knows recipes., model: "openai:m@%s", template: "Cook: {query}"}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[EngineServer]:
    tokenizer = make_tokenizer()
    taught = make_model(tokenizer, width=48, window=1024)
    shape = CallFormat()
    rows = [
        (f"{shape.before}{query}{shape.after}", f"<nexa_{slot}>{write_call(call)}<nexa_end>")
        for query, slot, call in ((FAITHFUL, 1, "Name the capital of Kenya."), (LOSSY, 2, "Bake loaves."))
    ]
    teach(taught, tokenizer, rows, steps=120)
    engine = TinyEngine(tokenizer, {"": make_model(tokenizer, width=48), "octopus": taught})
    with serving_engine(EngineServer(engine, vllm)) as running:
        yield running


@pytest.fixture
def spec(server: EngineServer, tmp_path: Path) -> Iterator[Path]:
    with serving(ChatServer(words=["Well", "."])) as chat:
        path = tmp_path / "graph.yaml"
        path.write_text(SPEC % (server.url, chat.url, chat.url), encoding="utf-8")
        yield path


def hops(octopus: Octopus, spec: Path, question: str) -> list[dict[str, Any]]:
    result = octopus("ask", "--graph", spec, "--json", question)
    assert result.code == 0, result.err
    found: list[dict[str, Any]] = json.loads(result.out)["hops"]
    return found


def test_a_faithful_rewrite_is_sent(octopus: Octopus, spec: Path) -> None:
    (hop,) = hops(octopus, spec, FAITHFUL)
    assert (hop["node"], hop["token"], hop["status"]) == ("places", "<nexa_1>", "answered")
    assert (hop["query"], hop["rewrite"]) == ("Name the capital of Kenya.", "changed")


def test_a_rewrite_that_loses_a_number_is_not(octopus: Octopus, spec: Path) -> None:
    (hop,) = hops(octopus, spec, LOSSY)
    assert (hop["node"], hop["rewrite"], hop["query"]) == ("food", "bypassed", LOSSY)
    assert "Its rewrite lost '2'" in hop["reason"]


def test_rows_are_routed_by_the_same_model(octopus: Octopus, spec: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"query": q}) + "\n" for q in (FAITHFUL, LOSSY)), encoding="utf-8")
    result = octopus("route", "--graph", spec, "--input", rows, "--output", tmp_path / "out.jsonl")
    assert result.code == 0, result.err
    routed = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["node"] for row in routed] == ["places", "food"]
    assert routed[0]["probability"] > 0.9


async def test_follow_ups_of_a_causal_artifact_that_is_served(server: EngineServer, tmp_path: Path) -> None:
    shape, nodes = CallFormat(), ("maths", "places", "food")
    tokens = {NodeName(node): slot_token(slot) for slot, node in enumerate(nodes)}
    masters = {NodeName("octopus"): CausalMaster(neighbours=tokens)}
    write_manifest(tmp_path, CausalManifest(before=shape.before, after=shape.after, masters=masters))
    path = tmp_path / "graph.yaml"
    path.write_text(
        "\n".join(["octopus: {artifact: .}", *SPEC.splitlines()[2:]]) % (("http://127.0.0.1:9",) * 2)
    )
    settings = Settings.read({"OCTOPUS_ROUTER": f"vllm:base#{{master}}@{server.url}"})
    talk = [HumanMessage("bake bread"), AIMessage("With flour."), HumanMessage(FAITHFUL)]
    route = await assemble(find_spec(str(path)), settings).octopuses[NodeName("octopus")].route(talk)
    assert route.node in nodes
    assert route.question.endswith(FAITHFUL)


def test_a_dead_server_ends_with_exit_code_3(octopus: Octopus, tmp_path: Path) -> None:
    path = tmp_path / "dead.yaml"
    path.write_text(SPEC % (("http://127.0.0.1:9",) * 3), encoding="utf-8")
    result = octopus("ask", "--graph", path, FAITHFUL)
    assert result.code == 3
    assert "the Octopus cannot be reached" in result.err
