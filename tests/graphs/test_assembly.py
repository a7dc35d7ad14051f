"""Models by reference in a spec: what is built of them, and who is shown images and audio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agents.errors import ArtifactError, InputError, SpecError
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.octopus.served.octopus import RemoteOctopus
from agents.octopus.served.scorers import FunctionalScorer
from agents.octopus.served.vllm import VllmEngine
from agents.types import NodeName
from agents.workers.specialist import Specialist
from app.settings import Settings
from graphs.assembly import Assembly, assemble
from graphs.settings import parse_bytes
from graphs.spec_file import parse_spec
from tests.loopback import ChatServer, serving

PIXEL = {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}
SOUND = {"type": "audio", "base64": "UklGRg==", "mime_type": "audio/wav"}
SPEC = """
masters:
  octopus: {neighbours: [maths, painter, listener]}
workers:
  maths: {description: "Solves equations, derivatives and sums.", tools: [calculus, arithmetic]}
  painter: {description: Describes pictures., model: "openai:eye@URL", modalities: [image]}
  listener: {description: Writes down speech., model: "openai:ear@URL", modalities: [audio, image]}
"""


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with serving(ChatServer(words=["A", " leek."], reads=("image", "audio"))) as chat:
        yield chat


def assembly(text: str = SPEC, **environment: str) -> Assembly:
    return assemble(parse_spec(text, environment={}), Settings.read(environment))


async def run(built: Assembly, *blocks: Any) -> Any:
    content = blocks[0] if len(blocks) == 1 and isinstance(blocks[0], str) else list(blocks)
    try:
        values = await built.graph().compile().ainvoke({"messages": [HumanMessage(content)]})
    finally:
        built.close()
    return values["hops"][-1]


def words(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


async def test_an_image_goes_to_who_reads_images(server: ChatServer) -> None:
    hop = await run(assembly(SPEC.replace("URL", server.url)), words("What is the sum here?"), PIXEL)
    assert hop["node"] in ("painter", "listener")
    assert "neighbours that read image" in hop["reason"]
    assert (hop["status"], hop["answer"]) == ("answered", "A leek.")
    ((_, body),) = server.requests
    text, picture = body["messages"][-1]["content"]
    assert text == words("What is the sum here?")
    assert picture == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


async def test_speech_without_a_word_of_text(server: ChatServer) -> None:
    hop = await run(assembly(SPEC.replace("URL", server.url)), SOUND)
    assert (hop["node"], hop["status"]) == ("listener", "answered")
    ((_, body),) = server.requests
    text, sound = body["messages"][-1]["content"]
    assert text == words("Answer the attached audio.")
    assert sound["input_audio"]["format"] == "wav"


async def test_where_nobody_reads_it_that_is_said(server: ChatServer) -> None:
    hop = await run(
        assembly(SPEC.replace("modalities: [audio, image]", "").replace("URL", server.url)), SOUND
    )
    assert hop["status"] == "declined"
    assert "No neighbour reads audio" in hop["answer"]
    assert server.requests == []


async def test_text_goes_where_it_always_went(server: ChatServer) -> None:
    hop = await run(assembly(SPEC.replace("URL", server.url)), "What is the derivative of x^3 at x = 2?")
    assert (hop["node"], hop["status"]) == ("maths", "answered")


def test_one_line_selects_a_remote_octopus() -> None:
    url = "http://127.0.0.1:1"
    line = f"octopus: 'vllm:base#{{master}}@{url}'\n"
    nested = (
        "masters:\n  top: {neighbours: [law, other]}\n  law: {neighbours: [a, b], octopus: encoder}\n"
        "workers: {a: {description: x}, b: {description: y}, other: {description: z}}\n"
    )
    built = assembly(line + nested).routing.router(NodeName("top"))
    assert isinstance(built, RemoteOctopus)
    assert isinstance(built.scorer, FunctionalScorer)
    assert isinstance(built.scorer.engine, VllmEngine)
    assert built.scorer.engine.adapter == "top"
    assert built.fallback is None
    assert isinstance(assembly(line + nested).routing.router(NodeName("law")), EncoderOctopus)
    everywhere = assembly(nested, OCTOPUS_ROUTER=f"ollama:llama3.2@{url}")
    assert isinstance(everywhere.routing.router(NodeName("top")), RemoteOctopus)
    long = nested.replace(
        "[law, other]", f"[law, other], octopus: {{model: 'openai:m@{url}', fallback: true}}"
    )
    with_fallback = assembly(long).routing.router(NodeName("top"))
    assert isinstance(with_fallback, RemoteOctopus)
    assert isinstance(with_fallback.fallback, EncoderOctopus)


def test_the_kind_of_a_local_octopus_is_selected_before_the_environment() -> None:
    router = "ollama:llama3.2@http://127.0.0.1:1"
    plain = "masters: {top: {neighbours: [law]}}\nworkers: {law: {description: Laws.}}\n"
    named = assembly("octopus: {kind: encoder, threshold: 0.4}\n" + plain, OCTOPUS_ROUTER=router)
    built = named.routing.router(named.spec.entry)
    assert isinstance(built, EncoderOctopus)
    assert built.threshold == 0.4
    anything = assembly(plain, OCTOPUS_ROUTER=router)
    assert isinstance(anything.routing.router(anything.spec.entry), RemoteOctopus)
    with pytest.raises(ArtifactError, match="has no artifact, so no causal Octopus"):
        assembly("octopus: causal\n" + plain).graph()


def test_a_wrong_octopus_is_a_fault_of_the_spec() -> None:
    with pytest.raises(SpecError, match="the octopus 'vllm:base' is not understood"):
        assembly("octopus: 'vllm:base'\n" + SPEC).graph()
    with pytest.raises(SpecError, match=r"octopus\.kind"):
        assembly("octopus: squid\n" + SPEC)
    with pytest.raises(SpecError, match="exclude each other"):
        assembly("octopus: {kind: encoder, model: 'openai:m@http://127.0.0.1:1'}\n" + SPEC)


def test_a_wrong_model_is_told_with_its_line() -> None:
    with pytest.raises(SpecError, match=r"<spec>:3: .*the model 'hf-endpoint:a' is not understood.*NAME@URL"):
        assembly("masters: {m: {neighbours: [w]}}\nworkers:\n  w: {description: x, model: 'hf-endpoint:a'}\n")


def test_references_make_workers(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    text = """
    masters: {m: {neighbours: [local, far, shop, cloud]}}
    workers:
      local: {description: x, model: "hf:base"}
      far: {description: x, model: "remote-graph:agent@http://127.0.0.1:1"}
      shop: {description: x, model: "mcp:http://127.0.0.1:1/mcp"}
      cloud: {description: x, model: "provider:openai:gpt-x", window: 4096}
    """
    spec = parse_spec(text, source=str(tmp_path / "graph.yaml"), environment={})
    workers = assemble(spec, Settings.read({})).workers
    models: dict[str, Any] = {n: w.model for n, w in workers.items() if isinstance(w, Specialist)}
    assert {name: type(model).__name__ for name, model in models.items()} == {
        "local": "LanguageModel",
        "far": "RemoteGraphWorker",
        "shop": "McpAgent",
        "cloud": "LanguageModel",
    }
    assert models["local"].reference.name == str(tmp_path / "base")
    assert models["cloud"].window == 4096


@pytest.mark.parametrize("model", ["hf:org/eye", "mcp:http://h/mcp"])
def test_a_model_that_reads_text_only_cannot_declare_more(model: str) -> None:
    text = SPEC.replace("openai:eye@URL", model).replace("URL", "http://h/v1")
    with pytest.raises(SpecError, match=r"'painter' declares image.*reads text only"):
        assembly(text).graph()


@pytest.mark.parametrize(
    ("text", "amount"), [("8GB", 8 * 10**9), ("1.5 gib", 3 * 2**29), ("500MB", 5 * 10**8), ("1000", 1000)]
)
def test_amounts_of_memory(text: str, amount: int) -> None:
    assert parse_bytes(text) == amount
    assert Settings.read({"OCTOPUS_MODEL_MEMORY": text}).model_memory == amount


@pytest.mark.parametrize("text", ["lots", "-1GB", "0", "8XB"])
def test_other_amounts_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="OCTOPUS_MODEL_MEMORY is"):
        Settings.read({"OCTOPUS_MODEL_MEMORY": text})
