"""Every kind of Octopus reads its reference, builds its Octopus, and says whether it can be asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.errors import ArtifactError, SpecError
from agents.octopus.causal.artifact import CausalArtifact
from agents.octopus.causal.manifest import CausalManifest, CausalMaster, write_manifest
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.heads import Untrained
from agents.octopus.encoder.octopus import EncoderOctopus
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from agents.octopus.kinds import (
    KINDS,
    LOCAL,
    CausalReference,
    EncoderReference,
    local_octopus,
    parse_octopus,
)
from agents.octopus.kinds.reference import OctopusParts
from agents.octopus.kinds.served import VllmReference
from agents.octopus.served.octopus import RemoteOctopus
from agents.octopus.served.scorers import FunctionalScorer, LabelScorer
from agents.octopus.tokens import slot_token
from agents.types import Decision, Edge, NodeName
from tests.loopback import ChatServer, free_port, serving

LAW, COOKING = NodeName("law"), NodeName("cooking")
EDGES = {LAW: Edge(LAW, slot_token(0), description="Laws."), COOKING: Edge(COOKING, slot_token(1))}
URL = "http://127.0.0.1:1"


@pytest.fixture
def parts(encoder: Encoder) -> OctopusParts:
    """What an Octopus over two neighbours is built from; no causal model is there."""
    candidates = [Candidate("law", "Laws and courts."), Candidate("cooking", "Recipes.")]

    def encoder_octopus() -> EncoderOctopus:
        head = Untrained(ZeroShotHead.build(candidates, encoder.embed))
        return EncoderOctopus(list(EDGES.values()), head, encoder)

    def open_causal(folder: Path) -> CausalArtifact:
        raise ArtifactError(f"{folder}: opened.")

    def next_step(question: str, path: Any, refers_to: str) -> Decision:
        raise AssertionError("no walk here")

    return OctopusParts(NodeName("top"), EDGES, encoder, encoder_octopus, open_causal, next_step)


def causal_folder(folder: Path) -> Path:
    master = CausalMaster(
        neighbours={node: edge.token for node, edge in EDGES.items()},
        temperature=2.0,
        threshold=0.3,
        abstains=True,
        metrics={"accuracy": 1.0},
    )
    write_manifest(folder, CausalManifest(before="Q: ", after=" A:", masters={NodeName("top"): master}))
    return folder


def test_all_kinds_are_listed() -> None:
    assert list(LOCAL) == ["encoder", "causal"]
    assert list(KINDS) == [*LOCAL, "vllm", "sglang", "lorax", "openai", "ollama", "llama.cpp"]
    assert all(kind in one.form for kind, one in KINDS.items())


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(LOCAL)))
def test_each_engine_is_connected_by_its_name(kind: str, parts: OctopusParts) -> None:
    reference = parse_octopus(f"{kind}:base@{URL}", NodeName("top"))
    octopus = reference.connect(parts)
    assert isinstance(octopus, RemoteOctopus)
    functional = kind in ("vllm", "sglang", "lorax")
    assert isinstance(octopus.scorer, FunctionalScorer if functional else LabelScorer)
    assert kind.replace(".", "").casefold() in type(octopus.scorer.engine).__name__.casefold()
    assert octopus.fallback is None
    assert octopus.nearest_example("Is it theft?") is None  # neighbours have no examples here


def test_a_served_octopus_is_calibrated_as_it_was_trained(parts: OctopusParts, tmp_path: Path) -> None:
    served = replace(parts, served=causal_folder(tmp_path), fallback=True, parent=LAW)
    octopus = VllmReference("base", "", (URL,)).connect(served)
    assert isinstance(octopus, RemoteOctopus)
    assert (octopus.temperature, octopus.threshold, octopus.abstains) == (2.0, 0.3, True)
    assert (octopus.parent, octopus.generalist) == (LAW, None)
    assert isinstance(octopus.fallback, EncoderOctopus)
    own = VllmReference("base", "", (URL,)).connect(replace(served, threshold=0.8))
    assert isinstance(own, RemoteOctopus)
    assert own.threshold == 0.8
    with pytest.raises(ArtifactError, match=r"'other'.*top"):
        VllmReference("base", "", (URL,)).connect(replace(served, name=NodeName("other")))


def test_local_kinds_are_what_the_artifact_holds_or_what_is_named(tmp_path: Path) -> None:
    folder = causal_folder(tmp_path)
    assert isinstance(local_octopus(None, None), EncoderReference)
    assert isinstance(local_octopus(None, tmp_path / "elsewhere"), EncoderReference)
    assert isinstance(local_octopus(None, folder), CausalReference)
    assert isinstance(local_octopus("encoder", folder), EncoderReference)
    assert isinstance(local_octopus("causal", None), CausalReference)


def test_local_kinds_connect(parts: OctopusParts, tmp_path: Path) -> None:
    assert isinstance(EncoderReference().connect(parts), EncoderOctopus)
    assert EncoderReference().reachable()
    causal = replace(parts, artifact=causal_folder(tmp_path))
    with pytest.raises(ArtifactError, match="an encoder's artifact is needed"):
        EncoderReference().connect(causal)
    with pytest.raises(ArtifactError, match="opened"):
        CausalReference().connect(causal)
    with pytest.raises(ArtifactError, match="'top' has no artifact"):
        CausalReference().connect(parts)


def test_references_to_servers() -> None:
    reference = parse_octopus("vllm:org/base#{master}@http://a:1,http://b:2/v1", NodeName("law"))
    assert reference == VllmReference("org/base", "law", ("http://a:1", "http://b:2/v1"))
    assert str(reference) == "'org/base' with the adapter 'law' on vllm at http://a:1, http://b:2/v1"
    assert isinstance(parse_octopus(" encoder ", LAW), EncoderReference)


@pytest.mark.parametrize(
    "text",
    [
        "vllm:base", "tgi:base@http://h", "vllm:@http://h", "vllm:base@http://h,ftp://h", "vllm",
        "encoder:x", "", "vllm:base@http://[h",
    ],
)  # fmt: skip
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(SpecError, match="is not understood") as raised:
        parse_octopus(text, LAW)
    assert raised.value.hint
    kind = text.partition(":")[0]
    assert ("ollama:MODEL@URL" in raised.value.hint) == (kind not in KINDS)


def test_only_engines_with_adapters_take_one() -> None:
    with pytest.raises(SpecError, match="has an adapter, which ollama does not take"):
        parse_octopus("ollama:base#law@http://h", LAW)


def test_whether_a_server_can_be_reached() -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    assert not VllmReference("base", "", (gone,)).reachable()
    with serving(ChatServer()) as server:
        assert VllmReference("base", "", (gone, server.url)).reachable()
