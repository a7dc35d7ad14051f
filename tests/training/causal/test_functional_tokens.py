"""Functional tokens: baking them, what is learnt from rows, going on after a kill, merging."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from agents.errors import InputError
from agents.octopus.causal.manifest import read_manifest
from agents.octopus.causal.prompt import PromptFormat, PromptTokenizer
from agents.octopus.tokens import slot_token
from agents.types import NodeName
from training.rows.labelled_rows import RouterRow
from training.rows.template_rows import load_templates, template_rows

if TYPE_CHECKING:
    from training.causal.call_rows import CallRows
    from training.causal.functional_tokens import FunctionalSettings, Master

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]

ROWS = template_rows(80, seed=0)
HELD_OUT = template_rows(16, seed=0, held_out=True)


def master(name: str = "octopus") -> Master:
    from training.causal.functional_tokens import Master

    own = load_templates().nodes
    neighbours = {NodeName(node): slot_token(k) for k, node in enumerate(own)}
    templates = {NodeName(node): part.rewrite for node, part in own.items()}
    return Master(NodeName(name), neighbours, templates, "subjects", "hash")


def settings(**named: Any) -> FunctionalSettings:
    from training.causal.call_trainer import Phase
    from training.causal.functional_tokens import FunctionalSettings

    phases = {
        "base_phase": Phase("base", 6, 3e-3, check_every=3, save_every=2),
        "adapter_phase": Phase("adapter", 4, 1e-3, check_every=2, save_every=2),
    }
    return FunctionalSettings(**{"batch": 4, "slots": 8, "threads": 1, "rank": 4} | phases | named)


def train(out: Path, name: str = "octopus", **named: Any) -> Any:
    from training.causal.functional_tokens import train_functional_tokens

    report = named.pop("report", lambda phase, step, figures: None)
    return train_functional_tokens(
        ROWS, HELD_OUT, master=master(name), out=out, settings=settings(**named), report=report
    )


def in_ids(folder: Path, rows: Sequence[RouterRow]) -> CallRows:
    """The rows in ids of a tiny base."""
    from training.causal.checkpoint import Checkpoint
    from training.causal.functional_base import bake_tiny, tiny_format
    from training.causal.functional_tokens import Training

    bake_tiny(folder, [row.query for row in ROWS], slots=8, seed=0)
    training = Training(rows, HELD_OUT, master(), folder, settings(), Checkpoint(folder / "state.pt", ""))
    return training.data(PromptFormat(PromptTokenizer.read(folder), *tiny_format()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("functional")
    train(out)
    return out


def test_the_folder_is_complete(folder: Path) -> None:
    manifest = read_manifest(folder)
    own = manifest.masters[NodeName("octopus")]
    assert own.neighbours[NodeName("math")] == "<nexa_0>"
    assert set(own.metrics) == {"route", "exact", "ece_before", "ece_after"}
    assert "Causal Octopus of the graph subjects" in (folder / "README.md").read_text()
    history = json.loads((folder / "metrics.json").read_text())["history"]
    assert [figures["step"] for figures in history["base"]] == [3, 6]
    assert [figures["step"] for figures in history["adapter"]] == [2, 4]
    assert not (folder / "checkpoint" / "state.pt").exists()


def test_it_answers_through_the_wiring(folder: Path) -> None:
    from agents.octopus.causal.octopus import CausalOctopus
    from app.settings import Settings
    from graphs.assembly.graph import Wiring, find_spec

    octopus = Wiring(find_spec("subjects"), Settings.read(), artifact=folder).octopus(NodeName("octopus"))
    assert isinstance(octopus, CausalOctopus)
    route = octopus.decide(["What is the derivative of x^2?"])
    assert route.calibrated
    assert len(route.choices) == 8


def test_a_second_master_shares_the_base(folder: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shutil.copytree(folder, shared)
    weights = (shared / "base" / "model.safetensors").read_bytes()
    manifest = train(shared, "other")
    assert set(manifest.masters) == {"octopus", "other"}
    assert manifest.masters[NodeName("other")].adapter == "adapters/1"
    assert (shared / "base" / "model.safetensors").read_bytes() == weights


def test_a_base_that_was_made_otherwise_is_refused(folder: Path) -> None:
    for named, said in (
        ({"base": "someone/else"}, r"made with --tiny --slots 8, not with --base someone/else --slots 8"),
        ({"slots": 9}, r"made with --tiny --slots 8, not with --tiny --slots 9"),
    ):
        with pytest.raises(InputError, match=said):
            train(folder, "other", **named)


def test_a_base_that_does_not_say_what_it_is_made_of_is_taken_as_it_is(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy"
    shutil.copytree(folder, out)
    note = out / "base" / "baked.json"
    baked = json.loads(note.read_text())
    del baked["base"]  # as older versions wrote it
    note.write_text(json.dumps(baked))
    train(out, "other", base="someone/else")
    assert "Base: a tiny Qwen3" in (folder / "README.md").read_text()
    assert "Base: one whose name was not kept" in (out / "README.md").read_text()


def test_going_on_ends_with_the_same_numbers(folder: Path, tmp_path: Path) -> None:
    """Broken off in each phase, after a checkpoint that is older than the last step."""

    def break_off(at: tuple[str, int]) -> Any:
        def report(phase: str, step: int, figures: dict[str, float]) -> None:
            if (phase, step) == at:
                raise KeyboardInterrupt

        return report

    for at in (("base", 6), ("adapter", 4)):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, report=break_off(at))
    train(tmp_path)
    for name in ("metrics.json", "octopus.json", "base/model.safetensors"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_another_training_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    def stop(phase: str, step: int, figures: dict[str, float]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, report=stop)
    with pytest.raises(InputError, match="other rows or settings"):
        train(tmp_path, seed=1)


def test_merging_changes_no_decision(folder: Path, tmp_path: Path) -> None:
    from agents.octopus.causal.artifact import open_causal
    from agents.octopus.causal.model import Request
    from training.causal.merge import merge_adapter

    merge_adapter(folder, tmp_path)
    name, query, found = NodeName("octopus"), "What is the molar mass of ozone?", []
    for place in (folder, tmp_path):
        artifact = open_causal(place)
        tokens = artifact.manifest.masters[name].neighbours
        vocabulary = artifact.parts.prompts.tokenizer
        legal = tuple(k for token in tokens.values() if (k := vocabulary.token_id(token)) is not None)
        prompt = artifact.parts.prompts.prompt(query)
        request = Request(prompt, artifact.manifest.masters[name].adapter, legal, lambda logits: 0)
        found.append(artifact.parts.batcher.ask([request])[0])
    assert found[0].logits == pytest.approx(found[1].logits, abs=1e-4)
    assert found[0].output == found[1].output
    assert read_manifest(tmp_path).masters[name].adapter is None


@pytest.mark.parametrize("tied", [True, False])
def test_new_rows_are_distinct_in_both_tables(tied: bool) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    from training.causal.functional_base import add_rows

    model: Any = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
            tie_word_embeddings=tied,
        )
    )  # fmt: skip
    add_rows(model, range(50, 60), seed=0)
    tables = [model.get_input_embeddings().weight, model.get_output_embeddings().weight]
    assert (tables[0] is tables[1]) == tied
    for table in tables:
        assert table.shape[0] == 60
        assert len(table[50:].unique(dim=0)) == 10


def test_a_public_base_keeps_its_chat_template(tmp_path: Path) -> None:
    from agents.octopus.causal.prompt import PromptTokenizer
    from training.causal.functional_base import bake_public
    from training.causal.tiny_model import save_tokenizer, tiny_model, train_tokenizer

    base, out = tmp_path / "base", tmp_path / "out"
    tokenizer = train_tokenizer([row.query for row in ROWS], slots=0, size=300)
    save_tokenizer(tokenizer, base)
    tiny_model(tokenizer.get_vocab_size(), seed=0, width=16, layers=1, heads=2).save_pretrained(base)
    template = "<|user|>{{ messages[0]['content'] }}<|assistant|>"
    (base / "chat_template.jinja").write_text(template)
    _, before, after = bake_public(out, str(base), slots=4, seed=0)
    assert before.startswith("<|user|>Below is a query")
    assert after == "<|assistant|>"
    read = PromptTokenizer.read(out)
    ids = {read.token_id(f"<nexa_{k}>") for k in range(4)}
    assert len(ids) == 4
    assert ids <= read.special


def test_a_query_that_is_said_anew_is_neither_thinned_nor_echoed_around(tmp_path: Path) -> None:
    query = "why does my cat sneeze"
    anew = RouterRow(query=query, node="biology", rewritten="Name causes of sneezing.")
    framed = RouterRow(query=query, node="biology", rewritten=f"Why: {query}?")
    data = in_ids(tmp_path, [anew, framed])
    tokenizer = data.grammar.tokenizer
    noise = tokenizer.user_ids("blorp 17 zz")

    def called(row: RouterRow) -> str:
        example = data.echo(row, noise, around=True)
        return tokenizer.control.decode(example.ids[example.start + 1 :], skip_special_tokens=True)

    assert called(anew) == "('blorp 17 zz')"
    assert called(framed) == "('Why: blorp 17 zz?')"
    thinned = [[data.thinned(row, random.Random(seed)) for seed in range(20)] for row in (anew, framed)]
    assert all(row == anew for row in thinned[0])
    assert any(row.query != query for row in thinned[1])
    assert all(row.rewritten == f"Why: {row.query}?" for row in thinned[1])


def test_a_public_base_that_is_cut_off_is_told_in_a_line(tmp_path: Path) -> None:
    from tests.training.tiny_model import make_base
    from training.causal.functional_base import bake_public

    weights = make_base(tmp_path / "base") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputError, match="no causal model that can be read"):
        bake_public(tmp_path / "out", str(tmp_path / "base"), slots=4, seed=0)


def test_a_row_weighs_what_it_says(tmp_path: Path) -> None:
    nodes = ("math", "math", None, None)
    rows = [RouterRow(query="q", node=node, weight=1.0 if k % 2 else 0.5) for k, node in enumerate(nodes)]
    data = in_ids(tmp_path, rows)
    assert [data.example(row).weight for row in rows] == [0.5, 1.0, 0.5, 1.0]


def test_rows_that_may_not_be_held_out_are_only_trained_on(tmp_path: Path) -> None:
    from app.commands.functional_tokens import _rows

    def write(name: str, rows: Sequence[RouterRow]) -> list[Path]:
        (tmp_path / name).write_text("".join(f"{row.model_dump_json()}\n" for row in rows))
        return [tmp_path / name]

    rows = [RouterRow(query=f"q{k}", node="math", held_out=k % 2 == 1) for k in range(40)]
    known, unseen = _rows(write("mixed", rows), None, master(), 0)
    assert unseen == [rows[1], rows[21]]
    assert known == [row for row in rows if row not in unseen]
    assert _rows(write("mixed", rows), write("apart", rows[:2]), master(), 0) == (rows, [rows[1]])
    known, unseen = _rows(write("plain", ROWS), None, master(), 0)
    assert (known, unseen) == ([row for k, row in enumerate(ROWS) if k % 10], ROWS[::10])


@pytest.mark.parametrize(("rows", "held_out"), [([], ROWS[:1]), (ROWS[:1], [])])
def test_without_rows_to_train_or_to_measure_on_nothing_is_made(
    tmp_path: Path, rows: list[RouterRow], held_out: list[RouterRow]
) -> None:
    from training.causal.functional_tokens import train_functional_tokens

    with pytest.raises(InputError, match="are too few"):
        train_functional_tokens(rows, held_out, master=master(), out=tmp_path / "out", settings=settings())
    assert not (tmp_path / "out").exists()


def test_class_weights_balance_skewed_rows() -> None:
    from training.causal.call_rows import class_weights

    rows = [RouterRow(query="q", node="a")] * 90 + [RouterRow(query="q", node="b")] * 10
    places = {"a": 0, "b": 1}
    assert class_weights(rows, places, 0.0)[:2] == [1, 1]
    balanced = class_weights(rows, places, 1.0)
    assert 90 * balanced[0] == pytest.approx(10 * balanced[1])
    assert 90 * balanced[0] + 10 * balanced[1] == pytest.approx(100)


def test_terms_of_the_loss_push_where_they_should() -> None:
    import torch

    from training.causal.call_loss import LossWeights, token_loss
    from training.causal.call_rows import Example

    start = torch.randn(64, 6, generator=torch.Generator().manual_seed(0)) + torch.tensor(
        [3.0, 2, 2, 0, 0, 0]
    )
    examples = [Example((), 0, k % 3, 1.0) for k in range(64)]

    def after(weights: LossWeights) -> Any:
        logits = start.clone().requires_grad_()
        optimizer = torch.optim.SGD([logits], lr=2.0)
        for _ in range(50):
            optimizer.zero_grad()
            loss: Any = token_loss(logits, examples, [0, 1, 2], weights)
            loss.backward()
            optimizer.step()
        return logits.detach()[:, :3]

    none, z = after(LossWeights(0.0)), after(LossWeights(0.0, z=0.1))
    balanced = after(LossWeights(0.0, balance=5.0))
    assert z.logsumexp(-1).abs().mean() < none.logsumexp(-1).abs().mean()
    spread = [logits.softmax(-1).mean(0).std() for logits in (none, balanced)]
    assert spread[1] < spread[0]


@pytest.mark.accept
@pytest.mark.timeout(1200)
def test_a_killed_command_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.cli", "train", "functional-tokens", "--tiny", "--base-steps", "30"]
    command += ["--steps", "20", "--batch", "4", "--save-every", "5", "--out"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([*command, str(tmp_path / "whole")], env=environment, check=True, capture_output=True)
    state = tmp_path / "killed" / "checkpoint" / "state.pt"
    for kill in range(2):
        process = subprocess.Popen(
            [*command, str(tmp_path / "killed")],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        before = state.stat().st_mtime_ns if state.exists() else 0
        while process.poll() is None and not (state.exists() and state.stat().st_mtime_ns > before):
            time.sleep(0.02)
        assert process.poll() is None, f"it ended before kill {kill}"
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run([*command, str(tmp_path / "killed")], env=environment, check=True, capture_output=True)
    whole, killed = (
        json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("whole", "killed")
    )
    assert killed == whole
    assert np.isfinite(whole["masters"]["octopus"]["route"])


@pytest.mark.accept
@pytest.mark.timeout(7200)
def test_the_documented_command_learns_eight_nodes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.cli", "train", "functional-tokens", "--graph", "subjects", "--tiny"]
    subprocess.run([*command, "--out", str(tmp_path)], check=True, capture_output=True)
    figures = read_manifest(tmp_path).masters[NodeName("octopus")].metrics
    assert figures["route"] >= 0.98
    assert figures["exact"] >= 0.95
