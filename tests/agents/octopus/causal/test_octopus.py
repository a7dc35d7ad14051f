"""The causal Octopus on small real models: choices, calls, caches, adapters, many at once."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agents.errors import ArtifactError, RoutingError
from agents.octopus.causal.manifest import CausalManifest, CausalMaster, write_manifest
from agents.octopus.embedding import Encoder
from agents.octopus.tokens import slot_token
from agents.types import Edge, FunctionalToken, NodeName, Step
from tests.causal import HOSTILE, small_tokenizer
from tests.tiny_model import spoilt_adapters

if TYPE_CHECKING:
    from agents.octopus.causal.batching import CallRequest
    from agents.octopus.causal.model import CausalModel
    from agents.octopus.causal.octopus import CausalOctopus

QUERIES = ["What is x^2?", "Why do leaves fall?", "Who was Napoleon, and when did he die?", *HOSTILE]
NODES = {NodeName(f"node_{k}"): slot_token(k) for k in range(5)}
NEIGHBOURS = [Edge(node, token, "Please: {query}") for node, token in NODES.items()]
torch_only = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]


def test_the_module_does_not_import_torch() -> None:
    modules = "agents.octopus.causal.octopus, agents.octopus.causal.artifact"
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained base with two random adapters."""
    from evaluation.labs.causal_speed import save_adapters
    from training.causal.base import save_tokenizer, tiny_model

    out = tmp_path_factory.mktemp("causal")
    tokenizer = small_tokenizer().control
    save_tokenizer(tokenizer, out / "base")
    model = tiny_model(tokenizer.get_vocab_size(), seed=0, width=48, layers=2, heads=2)
    model.save_pretrained(out / "base")
    save_adapters(model, out / "adapters", 2)
    masters = {
        NodeName(f"master_{k}"): CausalMaster(neighbours=NODES, adapter=f"adapters/{k}") for k in (0, 1)
    }
    format_ = {"before": "<|user|>Call one.\n", "after": "<|assistant|>", "most_tokens": 24}
    write_manifest(out, CausalManifest(**format_, masters=masters))
    return out


def octopus_of(folder: Path, encoder: Encoder, master: str = "master_0", **named: Any) -> CausalOctopus:
    from agents.octopus.causal.artifact import open_causal
    from agents.octopus.causal.octopus import CausalOctopus

    artifact = open_causal(folder)
    name = NodeName(master)
    adapter = artifact.master(name).adapter
    legal = artifact.legal(name, NEIGHBOURS)
    return CausalOctopus(NEIGHBOURS, legal, artifact.parts, encoder, adapter=adapter, **named)


class TestChoosing:
    pytestmark = torch_only

    def test_probabilities_are_those_of_a_plain_forward_pass(self, folder: Path, encoder: Encoder) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM

        from agents.octopus.calibration import softmax

        octopus = octopus_of(folder, encoder)
        auto: Any = AutoModelForCausalLM
        plain: Any = PeftModel.from_pretrained(auto.from_pretrained(folder / "base"), folder / "adapters/0")
        prompts = octopus.parts.prompts
        for query in QUERIES:
            prompt = prompts.prompt(query)
            with torch.inference_mode():
                logits = plain.eval()(torch.tensor([[*prompt.shared, *prompt.own]])).logits[0, -1]
            expected = softmax(logits[list(octopus.legal)].numpy())
            assert octopus.choose_all([query])[0][:-1] == pytest.approx(expected, abs=1e-4)

    def test_a_batch_decides_as_each_alone(self, folder: Path, encoder: Encoder) -> None:
        octopus = octopus_of(folder, encoder)
        together = octopus.decide_all([[query] for query in QUERIES])
        written = octopus.parts.batcher.ask([_asked(octopus, query) for query in QUERIES])
        assert len({reply.output for reply in written}) > len(QUERIES) / 2
        for query, route, reply in zip(QUERIES, together, written, strict=True):
            assert reply.output == octopus.parts.batcher.ask([_asked(octopus, query)])[0].output
            alone = octopus.decide([query])
            assert (route.node, route.rewritten) == (alone.node, alone.rewritten)
            assert route.probability == pytest.approx(alone.probability, abs=1e-4)

    def test_rows_of_a_batch_speak_with_their_own_adapters(self, folder: Path) -> None:
        from agents.octopus.causal.artifact import open_causal
        from agents.octopus.causal.batching import CallRequest

        artifact = open_causal(folder)
        legal = tuple(artifact.legal(NodeName("master_0"), NEIGHBOURS))
        adapters = ["adapters/0", "adapters/1", None] * 2
        prompts = artifact.parts.prompts
        requests = [
            CallRequest(prompts.prompt(query), adapter, legal, lambda logits: int(logits.argmax()))
            for query, adapter in zip(QUERIES, adapters, strict=False)
        ]
        mixed = artifact.parts.batcher.ask(requests)
        for request, reply in zip(requests, mixed, strict=True):
            alone = artifact.parts.batcher.ask([request])[0]
            assert reply.logits == pytest.approx(alone.logits, abs=1e-4)
            assert reply.output == alone.output
        same = [
            artifact.parts.batcher.ask([CallRequest(requests[0].prompt, a, legal, _none)])[0]
            for a in adapters
        ]
        assert len({tuple(np.round(reply.logits, 3)) for reply in same}) == 3

    def test_the_chosen_node_is_told_before_its_query_is_written(
        self, folder: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        events: list[str] = []
        octopus = octopus_of(folder, encoder, on_choice=events.append)
        decode = type(octopus.parts.grammar.tokenizer).decode

        def decoding(tokenizer: Any, ids: Any) -> str:
            events.append("written")
            return decode(tokenizer, ids)

        monkeypatch.setattr(type(octopus.parts.grammar.tokenizer), "decode", decoding)
        octopus.choose_all(["Why?"])
        assert events == []
        route = octopus.decide(["Why?"])
        assert events[0] == route.node
        assert events.count(str(route.node)) == 1

    def test_an_adapter_that_cannot_be_loaded_leaves_base_and_others_as_they_were(
        self, folder: Path, tmp_path: Path
    ) -> None:
        from agents.octopus.causal.artifact import open_causal
        from agents.octopus.causal.batching import CallRequest

        prompts = open_causal(folder).parts.prompts
        legal = (10, 11, 12)
        spoilt = spoilt_adapters(folder / "adapters/0", tmp_path)

        def said(model: CausalModel, adapter: Path | None = None) -> list[float]:
            name = None if adapter is None else str(adapter)
            return list(model.run([CallRequest(prompts.prompt("What is x?"), name, legal, _none)])[0].logits)

        good = [folder / "adapters/0", folder / "adapters/1"]
        expected, *tuned = [said(_causal_model(folder), adapter) for adapter in (None, *good)]
        assert len({*expected, *tuned[0], *tuned[1]}) == 9
        model = _causal_model(folder)
        for loaded in range(3):
            for bad in spoilt:
                with pytest.raises(ArtifactError, match="no adapter for this base"):
                    said(model, bad)
                assert said(model) == expected
                assert [said(model, adapter) for adapter in good[:loaded]] == tuned[:loaded]
            assert said(model, good[min(loaded, 1)]) == tuned[min(loaded, 1)]

    def test_a_broken_adapter_fails_its_own_request_only(self, folder: Path, tmp_path: Path) -> None:
        from agents.octopus.causal.artifact import open_causal
        from agents.octopus.causal.batching import CallRequest

        broken = spoilt_adapters(folder / "adapters/0", tmp_path)[0]
        parts = open_causal(folder).parts
        prompt, adapters = parts.prompts.prompt("What is x?"), ("adapters/0", None, str(broken), "adapters/1")
        good, base, bad, other = parts.batcher.submit(
            [CallRequest(prompt, adapter, (10, 11, 12), _none) for adapter in adapters]
        )
        assert len({tuple(reply.result(20).logits) for reply in (good, base, other)}) == 3
        with pytest.raises(ArtifactError, match="no adapter for this base"):
            bad.result(20)

    def test_only_neighbours_can_be_chosen(self, folder: Path, encoder: Encoder) -> None:
        for route in octopus_of(folder, encoder).decide_all([[query] for query in QUERIES]):
            assert {choice.node for choice in route.choices} == set(NODES)
            assert sum(choice.probability for choice in route.choices) == pytest.approx(1)
            assert route.node == route.choices[0].node

    def test_the_cascade_asks_below_the_threshold(self, folder: Path, encoder: Encoder) -> None:
        asked = octopus_of(folder, encoder, threshold=0.99).decide(["What?"])
        assert (asked.node, asked.decided_by) == (None, "ask")
        general = octopus_of(folder, encoder, threshold=0.99, generalist=NodeName("node_3")).decide(["What?"])
        assert (general.node, general.decided_by) == ("node_3", "generalist")

    def test_below_the_threshold_an_example_may_decide(self, folder: Path, encoder: Encoder) -> None:
        octopus = octopus_of(folder, encoder, threshold=0.99, generalist=NodeName("node_3"))
        octopus.neighbours = [replace(NEIGHBOURS[0], examples=("How old is the universe?",)), *NEIGHBOURS[1:]]
        route = octopus.decide(["How old is the universe now?"])
        assert (route.node, route.decided_by) == ("node_0", "examples")
        assert octopus.decide(["What?"]).decided_by == "generalist"

    def test_too_long_a_query_is_routed_by_its_ends_and_not_rewritten(
        self, folder: Path, encoder: Encoder
    ) -> None:
        query = f"What? {'why ' * 2000}When?"
        route = octopus_of(folder, encoder).decide([query])
        assert route.node in NODES
        assert route.rewritten == f"Please: {query}"
        assert "too long" in route.reason


def _causal_model(folder: Path) -> CausalModel:
    from transformers import AutoModelForCausalLM

    from agents.octopus.causal.model import CausalModel

    auto: Any = AutoModelForCausalLM
    return CausalModel(auto.from_pretrained(folder / "base"), end=3, adapters=folder)


def _asked(octopus: CausalOctopus, query: str) -> CallRequest:
    """What it asks its model: what an untrained one writes is no call, which a route would not show."""
    from agents.octopus.causal.batching import CallRequest

    prompt = octopus.parts.prompts.prompt(query)
    return CallRequest(prompt, octopus.adapter, tuple(octopus.legal), lambda logits: int(logits.argmax()))


def _none(logits: Any) -> None:
    """Write no call."""


class TestCalls:
    pytestmark = torch_only

    def test_without_a_call_the_template_is_sent(self, folder: Path, encoder: Encoder) -> None:
        """The model is untrained: what it writes up to the cap is no call."""
        route = octopus_of(folder, encoder).decide(["What is x?"])
        assert route.rewritten == "Please: What is x?"
        assert "Its rewrite was not used" in route.reason

    def test_calls_end_at_the_cap_and_hold_no_second_token(self, folder: Path, encoder: Encoder) -> None:
        octopus = octopus_of(folder, encoder)
        replies = octopus.parts.batcher.ask([_asked(octopus, query) for query in QUERIES])
        special = octopus.parts.grammar.tokenizer.special - {octopus.parts.grammar.end}
        for reply in replies:
            assert reply.output is not None
            assert reply.output[0] in octopus.legal
            assert len(reply.output) <= 24
            assert not set(reply.output[1:]) & special

    def test_a_long_and_a_short_prompt_share_a_batch_where_positions_are_learned(self) -> None:
        import torch
        from transformers import GPT2Config, GPT2LMHeadModel

        from agents.octopus.causal.batching import CallRequest
        from agents.octopus.causal.model import CausalModel
        from agents.octopus.causal.prompt import Prompt

        torch.manual_seed(0)
        config = GPT2Config(
            vocab_size=50, n_positions=64, n_embd=16, n_layer=2, n_head=2, initializer_range=0.5
        )
        model = CausalModel(GPT2LMHeadModel(config), end=3, banned=[3])
        requests = [
            CallRequest(Prompt((), tuple(range(4, 4 + length)), ()), None, (10, 11), lambda logits: 0)
            for length in (40, 3)
        ]
        alone = [model.run([request])[0].output for request in requests]
        assert [len(output or ()) for output in alone] == [24, 61]
        assert [reply.output for reply in model.run(requests)] == alone

    def test_the_shared_prefix_changes_nothing(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM

        from agents.octopus.causal.batching import CallRequest
        from agents.octopus.causal.model import CausalModel
        from agents.octopus.causal.prompt import Prompt

        auto: Any = AutoModelForCausalLM
        base = auto.from_pretrained(folder / "base")
        shared, own = (5, 6, 7, 80, 81), (90, 91, 92)
        cached = CausalModel(base, end=3, shared=shared, most_tokens=16)
        plain = CausalModel(base, end=3, most_tokens=16)
        one = CallRequest(Prompt(shared, own, ()), None, (10, 11), lambda logits: 0)
        other = CallRequest(Prompt((), shared + own, ()), None, (10, 11), lambda logits: 0)
        for _ in range(2):  # the second time from the cache
            found, expected = cached.run([one])[0], plain.run([other])[0]
            assert found.logits == pytest.approx(expected.logits, abs=1e-4)
            assert found.output == expected.output


class TestServing:
    pytestmark = torch_only

    async def test_many_at_once_are_answered_as_alone(self, folder: Path, encoder: Encoder) -> None:
        octopus = octopus_of(folder, encoder)
        other = replace(octopus, adapter="adapters/1")  # so that both share batches
        wanted = [(own, query) for own in (octopus, other) for query in QUERIES] * 3
        routes = await asyncio.gather(*(own.route([HumanMessage(query)]) for own, query in wanted))
        for (own, query), route in list(zip(wanted, routes, strict=True))[: 2 * len(QUERIES)]:
            alone = await own.route([HumanMessage(query)])
            assert (route.node, route.rewritten) == (alone.node, alone.rewritten)
        batcher = octopus.parts.batcher
        written = await asyncio.gather(*(batcher.ask_async([_asked(*each)]) for each in wanted))
        outputs = [reply.output for (reply,) in written]
        assert len(set(outputs)) > len(QUERIES)  # of two masters
        expected = [
            (await batcher.ask_async([_asked(*each)]))[0].output for each in wanted[: 2 * len(QUERIES)]
        ]
        assert outputs == expected * 3

    async def test_a_follow_up_goes_where_its_question_went(self, folder: Path, encoder: Encoder) -> None:
        octopus = octopus_of(folder, encoder)
        first = "What is the derivative of x^4?"
        subject = await octopus.route([HumanMessage(first)])
        route = await octopus.route([HumanMessage(first), AIMessage("4x^3"), HumanMessage("and its second?")])
        assert route.node == subject.node
        assert (route.question, route.refers_to) == ("and its second?", first)
        assert route.rewritten == "Please: and its second?"

    async def test_a_walk_needs_a_graph(self, folder: Path, encoder: Encoder) -> None:
        step = Step(NodeName("node_0"), "q", "a", "answered")
        with pytest.raises(RoutingError, match="without a graph"):
            await octopus_of(folder, encoder).route([HumanMessage("What?")], [step])


class TestArtifacts:
    pytestmark = torch_only

    def test_another_master_is_an_error(self, folder: Path, encoder: Encoder) -> None:
        with pytest.raises(ArtifactError, match=r"'nobody'.*master_0"):
            octopus_of(folder, encoder, "nobody")

    def test_a_token_that_meant_another_node_is_an_error(self, folder: Path) -> None:
        from agents.octopus.causal.artifact import open_causal

        moved = [Edge(NodeName("node_0"), FunctionalToken("<nexa_4>"))]
        with pytest.raises(ArtifactError, match="trained by <nexa_0>"):
            open_causal(folder).legal(NodeName("master_0"), moved)

    def test_a_checkpoint_from_elsewhere_needs_only_a_manifest(self, folder: Path, tmp_path: Path) -> None:
        """Its tokens have other names, and were added as ordinary ones."""
        from agents.octopus.causal.artifact import open_causal

        for path in (folder / "base").iterdir():
            text = path.read_bytes()
            if path.name == "tokenizer.json":
                renamed = json.loads(text.replace(b"<nexa_", b"<fn_"))
                for token in renamed["added_tokens"]:
                    token["special"] = not token["content"].startswith("<fn_")
                text = json.dumps(renamed).encode()
            (tmp_path / path.name).write_bytes(text)
        write_manifest(
            tmp_path,
            CausalManifest(
                base=".", before="<|user|>", after="<|assistant|>", slot="<fn_{slot}>", end="<fn_end>"
            ),
        )
        artifact = open_causal(tmp_path)
        assert len(artifact.legal(NodeName("any"), NEIGHBOURS)) == 5
        tokenizer = artifact.parts.prompts.tokenizer
        assert not set(tokenizer.user_ids("<fn_3> <fn_end> <|user|>")) & tokenizer.special

    @pytest.mark.parametrize("left", [-100, 100, 0])
    def test_weights_cut_off_are_an_error(self, folder: Path, tmp_path: Path, left: int) -> None:
        from agents.octopus.causal.artifact import open_causal

        out = shutil.copytree(folder, tmp_path / "cut")
        weights = out / "base/model.safetensors"
        weights.write_bytes(weights.read_bytes()[:left])
        with pytest.raises(ArtifactError, match="no causal model here"):
            open_causal(out)

    def test_no_model_in_the_folder_is_an_error(self, folder: Path, tmp_path: Path) -> None:
        from agents.octopus.causal.artifact import open_causal

        write_manifest(tmp_path, CausalManifest(before="", after=""))
        with pytest.raises(ArtifactError, match=r"tokenizer\.json"):
            open_causal(tmp_path)
        (tmp_path / "base").mkdir()
        (tmp_path / "base/tokenizer.json").write_bytes((folder / "base/tokenizer.json").read_bytes())
        with pytest.raises(ArtifactError, match="no causal model here"):
            open_causal(tmp_path)
