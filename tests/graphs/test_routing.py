"""Which trained router a graph gets: by what it says and not by what its file is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.octopus.encoder.artifact import shipped_artifacts
from agents.types import NodeName
from app.settings import Settings
from graphs.assembly import Assembly, assemble, find_spec
from graphs.spec import spec_hash
from graphs.spec_file import GRAPHS, load_spec

MMLU = (GRAPHS / "mmlu.yaml").read_text()
LAW = "openai:law@http://127.0.0.1:1/v1"
QUESTION = "Is a verbal contract on the sale of land enforceable?"


def copied(folder: Path, text: str, name: str = "mine") -> Assembly:
    (folder / f"{name}.yaml").write_text(text)
    return assemble(load_spec(folder / f"{name}.yaml"), Settings.read({}))


def test_the_shipped_artifact_was_trained_for_the_shipped_graph() -> None:
    assert spec_hash(find_spec("mmlu")) in shipped_artifacts()


def test_a_copy_with_models_keeps_the_trained_router(tmp_path: Path) -> None:
    law = f'\n  law:\n    model: "{LAW}"\n    window: 4096\n'
    text = MMLU.replace("name: mmlu", "name: firm").replace("\n  law:\n", law)
    built = copied(tmp_path, text.replace("prompt: You are a physicist.", "prompt: You are Marie Curie."))
    assert built.spec.workers[NodeName("law")].model == LAW
    shipped = assemble(find_spec("mmlu"), Settings.read({}))
    mine, theirs = (one.routing.octopus(one.spec.entry).decide(QUESTION) for one in (built, shipped))
    assert (mine.node, mine.probability, mine.calibrated) == (theirs.node, theirs.probability, True)
    assert built.routing.notice == shipped.routing.notice == ""


def test_models_for_workers_keep_the_trained_router() -> None:
    built = assemble(find_spec("mmlu"), Settings.read({}).using({"law": LAW}))
    assert built.spec.workers[NodeName("law")].model == LAW
    assert built.routing.octopus(built.spec.entry).decide(QUESTION).calibrated


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: mmlu", "name: mmlu", ""),
        ("description: |", "description: |\n      Mine.", "with other texts of "),
    ],
)
def test_a_copy_that_says_something_else_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    built = copied(tmp_path, MMLU.replace(old, new, 1))
    decision = built.routing.octopus(built.spec.entry).decide(QUESTION)
    assert decision.calibrated is not said.startswith("with")
    notice = built.routing.notice
    assert said in notice and bool(notice) == bool(said)
    if said:
        assert "routes zero-shot: it is mmlu with other texts of" in notice and "\n" not in notice


def test_a_graph_of_its_own_has_nothing_to_be_told(tmp_path: Path) -> None:
    own = "masters: {m: {neighbours: [law]}}\nworkers: {law: {description: Laws.}}\n"
    assert copied(tmp_path, own).routing.notice == ""
    assert assemble(find_spec("subjects"), Settings.read({})).routing.notice == ""


def test_an_artifact_of_other_texts_is_told(tmp_path: Path) -> None:
    artifact = next(iter(shipped_artifacts().values()))
    built = assemble(find_spec("subjects"), Settings.read({}), artifact=artifact)
    assert "was trained when" in built.routing.notice
    assert assemble(find_spec("mmlu"), Settings.read({}), artifact=artifact).routing.notice == ""
    assert assemble(find_spec("mmlu"), Settings.read({}), zero_shot=True).routing.notice == ""
