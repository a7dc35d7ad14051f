"""Models for single workers: on a command line, in a file, from Python; and those that fit no worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.errors import InputError, SpecError
from agents.types import NodeName
from agents.workers.models.language_model import LanguageModel
from agents.workers.specialist import Specialist
from app.settings import Settings
from graphs.assembly import Assembly, assemble, find_spec
from graphs.settings import models_of
from graphs.spec_file import parse_spec

LAW, REST = "openai:law@http://127.0.0.1:1/v1", "openai:rest@http://127.0.0.1:1/v1"
OFFICE = """\
name: office
masters: {m: {neighbours: [law, health]}}
workers:
  law: {description: Laws., model: "openai:own@http://127.0.0.1:1/v1"}
  health: {description: Symptoms.}
"""


def models(assembly: Assembly) -> dict[str, str | None]:
    """The name of each worker's model."""
    found: dict[str, str | None] = {}
    for name, worker in assembly.workers.items():
        assert isinstance(worker, Specialist)
        model = worker.model
        found[name] = model.reference.name if isinstance(model, LanguageModel) else None
    return found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"law": "own", "health": None}),
        ({"*": REST}, {"law": "own", "health": "rest"}),
        ({"law": LAW}, {"law": "law", "health": None}),
        ({"office/law": LAW, "law": REST, "*": REST}, {"law": "law", "health": "rest"}),
        ({"other/law": LAW}, {"law": "own", "health": None}),
    ],
)
def test_models_are_given_to_workers(given: dict[str, str], expected: dict[str, str | None]) -> None:
    built = assemble(parse_spec(OFFICE, environment={}), Settings.read({}).using(given))
    assert models(built) == expected


def test_the_command_line_comes_before_the_file_and_the_file_before_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(f'law: {REST}\nhealth: {REST}\n"*": {REST}\n')
    settings = Settings.read({"OCTOPUS_MODELS": str(file), "OCTOPUS_MODEL": LAW})
    assert (settings.model, dict(settings.models)) == (REST, {"law": REST, "health": REST})
    using = settings.using(models_of([f"law={LAW}", LAW]))
    assert (using.model, dict(using.models)) == (LAW, {"law": LAW, "health": REST})


def test_none_is_no_general_model() -> None:
    assert Settings.read({"OCTOPUS_MODEL": "none"}).model is None
    assert Settings.read({"OCTOPUS_MODEL": REST}).using({"*": "none"}).model is None
    with pytest.raises(SpecError, match="worker 'law': the model 'none' is not understood"):
        Settings.read({}).using({"law": "none"})


def test_options() -> None:
    assert models_of(["ollama:qwen2.5:3b", "law=hf:base#a?dtype=auto", "g/w = auto"]) == {
        "*": "ollama:qwen2.5:3b",
        "law": "hf:base#a?dtype=auto",
        "g/w": "auto",
    }
    assert models_of(["hf:base?dtype=float16"]) == {"*": "hf:base?dtype=float16"}
    with pytest.raises(InputError, match=r"worker 'law' is given two models, 'a' and 'b'\."):
        models_of(["law=a", "law=b"])
    with pytest.raises(InputError, match="the rest is given two models"):
        models_of(["a", "b"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "does not give workers models"),
        ("law: 3", "does not give workers models"),
        ("law: {", "cannot be read"),
        ("law: openai:law", "worker 'law': the model 'openai:law' is not understood"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "models.yaml").write_text(text)
    with pytest.raises((InputError, SpecError), match=said):
        Settings.read({"OCTOPUS_MODELS": str(tmp_path / "models.yaml")})
    with pytest.raises(InputError, match=r"'nowhere\.yaml' cannot be read"):
        Settings.read({"OCTOPUS_MODELS": "nowhere.yaml"})


@pytest.mark.parametrize("key", ["lawe", "office/lawe"])
def test_a_worker_that_there_is_not_is_named(key: str) -> None:
    with pytest.raises(SpecError, match=r"no worker 'lawe' in graph office\. Did you mean 'law'\?"):
        assemble(parse_spec(OFFICE, environment={}), Settings.read({}).using({key: LAW}))


def test_a_worker_that_is_a_graph_has_no_model_but_its_workers_do(tmp_path: Path) -> None:
    (tmp_path / "office.yaml").write_text(OFFICE)
    outer = "masters: {m: {neighbours: [desk]}}\nworkers: {desk: {description: x, graph: office.yaml}}\n"
    spec = parse_spec(outer, source=str(tmp_path / "outer.yaml"), environment={})
    with pytest.raises(SpecError, match="worker 'desk' is a graph and has no model"):
        assemble(spec, Settings.read({}).using({"desk": LAW}))
    built = assemble(spec, Settings.read({}).using({"office/law": LAW, "health": REST}))
    assert NodeName("desk") in built.workers
    (inner,) = built._inner.values()
    assert models(inner) == {"law": "law", "health": "rest"}
    built.close()


def test_a_model_for_a_worker_of_another_graph_that_is_opened_too() -> None:
    office, mmlu = parse_spec(OFFICE, environment={}), find_spec("mmlu")
    settings = Settings.read({}).using({"physics": LAW})
    with pytest.raises(SpecError, match="no worker 'physics' in graph office"):
        assemble(office, settings)
    assert models(assemble(office, settings, among=[office, mmlu]))["law"] == "own"
