"""Train on gold paths, and plan with the artifact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.errors import ArtifactError, InputError
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.artifact import load_artifact, save_artifact
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from agents.octopus.planning.next_node import from_planner, to_planner
from agents.octopus.planning.path_graph import PathGraph
from agents.octopus.planning.planner import Planner
from agents.types import NodeName
from tests.planning import DOCSTRINGS, NEIGHBOURS, ROWS, kitchen
from training.planner import EmbeddedRows, PlannerSettings, train_next, train_path_router
from training.planner_models import RankerSettings
from training.rows.paths import PathRow

SETTINGS = PlannerSettings(folds=3, ranker=RankerSettings(networks=2, units=8, epochs=20, batch=16))


def docstrings(graph: PathGraph, encoder: Encoder) -> ZeroShotHead:
    said = [Candidate(name, DOCSTRINGS.get(name, name)) for name in graph.nodes]
    return ZeroShotHead.build(said, encoder.embed)


def train(out: Path, encoder: Encoder) -> dict[str, float]:
    graph = kitchen()
    return train_path_router(
        [PathRow.model_validate(row) for row in ROWS], graph=graph, docstrings=docstrings(graph, encoder),
        embed=encoder.embed, name="kitchen", spec_hash="0" * 64, out=out, settings=SETTINGS,
    )  # fmt: skip


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    out = tmp_path_factory.mktemp("artifact")
    train(out, encoder)
    return out


def planned(artifact: Path, graph: PathGraph, encoder: Encoder, query: str) -> list[str]:
    part = load_artifact(artifact).planner
    assert part is not None
    planner = Planner(graph, from_planner(part, graph, docstrings(graph, encoder)), encoder.embed)
    return list(planner.plan(planner.read([query])[0]).path)


def test_new_requests_get_the_paths_that_were_taught(artifact: Path, encoder: Encoder) -> None:
    graph = kitchen()
    assert load_artifact(artifact).manifest.training["paths"] == len(ROWS)
    for query, path in (
        ("Find a recipe for pea soup, then cook it.", ["find_recipe", "cook_dish"]),
        ("Buy what the salad needs, cook it and wash up afterwards.", ["buy_food", "cook_dish", "wash_up"]),
        ("Do the washing up after the salad.", ["wash_up"]),
    ):
        assert planned(artifact, graph, encoder, query) == path


def test_training_again_gives_the_same_bytes(artifact: Path, encoder: Encoder, tmp_path: Path) -> None:
    train(tmp_path, encoder)
    for name in ("planner.safetensors", "manifest.json"):
        assert (tmp_path / name).read_bytes() == (artifact / name).read_bytes()


def test_the_graph_may_change_after_training(artifact: Path, encoder: Encoder) -> None:
    """Add a worker and remove another; the others are planned as before."""
    ahead = {name: [n for n in after if n != "wash_up"] for name, after in NEIGHBOURS.items()}
    del ahead["wash_up"]
    ahead["mow_lawn"] = []
    nodes = {NodeName(name): [NodeName(n) for n in after] for name, after in ahead.items()}
    graph = PathGraph.of(
        {NodeName("octopus"): list(nodes), **nodes}, NodeName("octopus"), [NodeName("octopus")]
    )
    query = "Find a recipe for pea soup, then cook it."
    assert planned(artifact, graph, encoder, query) == ["find_recipe", "cook_dish"]
    other = PathGraph.of({NodeName("x"): [NodeName("y")], NodeName("y"): []}, NodeName("x"), [NodeName("x")])
    with pytest.raises(ArtifactError, match="trained for other nodes"):
        planned(artifact, other, encoder, query)


def test_what_is_saved_is_what_was_learnt(encoder: Encoder, tmp_path: Path) -> None:
    """Save a transposed array, whose memory has another order, and read it back."""
    graph, rows = kitchen(), [PathRow.model_validate(row) for row in ROWS]
    model = train_next(
        EmbeddedRows.of(rows, graph, encoder.embed), graph, docstrings(graph, encoder), SETTINGS
    )
    transposed = replace(model, phrase_weights=np.asfortranarray(model.phrase_weights))
    save_artifact(
        tmp_path, graph="kitchen", spec_hash="", masters={}, training={}, versions={},
        planner=to_planner(transposed, {}),
    )  # fmt: skip
    part = load_artifact(tmp_path).planner
    assert part is not None
    loaded = from_planner(part, graph, model.docstrings)
    np.testing.assert_array_equal(loaded.phrase_weights, model.phrase_weights)
    np.testing.assert_allclose(loaded.exemplars.duals, model.exemplars.duals, atol=2e-3)
    np.testing.assert_array_equal(loaded.priors, model.priors)
    assert loaded.exemplars.paths == model.exemplars.paths


def test_too_few_paths_are_refused(tmp_path: Path, encoder: Encoder) -> None:
    with pytest.raises(InputError, match="1 paths are too few"):
        train_path_router(
            [PathRow(query="x", path=(NodeName("wash_up"),))], graph=kitchen(),
            docstrings=docstrings(kitchen(), encoder), embed=encoder.embed, name="kitchen", spec_hash="",
            out=tmp_path, settings=SETTINGS,
        )  # fmt: skip
