"""Training on gold paths: rows, the artifact and back, the ranker, the figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.errors import ArtifactError, InputError
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.artifact import load_artifact, save_artifact
from agents.octopus.encoder.zero_shot import Candidate, ZeroShotHead
from agents.octopus.planning.docstrings import Docstrings
from agents.octopus.planning.path_graph import PathGraph
from agents.octopus.planning.planner import Planner
from agents.octopus.planning.stored import from_planner, to_planner
from agents.types import NodeName
from tests.planning import DOCSTRINGS, NEIGHBOURS, ROWS, kitchen
from training.planner.path_metrics import link_f1, node_f1
from training.planner.path_router import train_path_router
from training.planner.paths import PathRow, read_path_rows
from training.planner.phrase_weights import Texts, phrase_weights
from training.planner.ranker import Decision, RankerSettings, train_ranker
from training.planner.trainer import EmbeddedRows, PlannerSettings, train_next

SETTINGS = PlannerSettings(folds=3, ranker=RankerSettings(networks=2, units=8, epochs=20, batch=16))


def docstrings(graph: PathGraph, encoder: Encoder) -> Docstrings:
    said = [Candidate(name, DOCSTRINGS.get(name, name)) for name in graph.nodes]
    return Docstrings(ZeroShotHead.build(said, encoder.embed))


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
    """A new worker is there and an old one is gone; what is left is planned as before."""
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
    """A transposed array, whose memory lies otherwise, comes back as it was."""
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


def rows_file(folder: Path, *rows: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_paths_that_leave_the_graph_are_counted(tmp_path: Path) -> None:
    good = {"query": "x", "path": ["cook_dish", "cook_dish"], "other": 1}
    found = read_path_rows([rows_file(tmp_path, good, {**good, "path": ["wash_up", "set_timer"]})], kitchen())
    assert [row.path for row in found.rows] == [("cook_dish", "cook_dish")]
    assert found.outside == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"query": "x", "path": ["garage"]}, "rows.jsonl:1: 'garage' is not a node of the graph"),
        ({"query": "x", "path": []}, "rows.jsonl:1: path: .*at least 1 item"),
        ({"query": " ", "path": ["wash_up"]}, "rows.jsonl:1: the query is empty"),
        ({"path": ["wash_up"]}, "rows.jsonl:1: query: Field required"),
        ({"query": "x", "path": ["wash_up", "set_timer"]}, "no rows to train on .* leave the graph"),
    ],
)
def test_faulty_rows_are_named(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_path_rows([rows_file(tmp_path, row)], kitchen())


def test_too_few_paths_are_refused(tmp_path: Path, encoder: Encoder) -> None:
    with pytest.raises(InputError, match="1 paths are too few"):
        train_path_router(
            [PathRow(query="x", path=(NodeName("wash_up"),))], graph=kitchen(),
            docstrings=docstrings(kitchen(), encoder), embed=encoder.embed, name="kitchen", spec_hash="",
            out=tmp_path, settings=SETTINGS,
        )  # fmt: skip


def test_the_ranker_learns_which_feature_counts() -> None:
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(4, 3)).astype(np.float32) for _ in range(200)]
    decisions = [Decision(own, int(own[:, 1].argmax())) for own in inputs]
    settings = RankerSettings(networks=1, units=8, epochs=40, batch=20)
    ranker = train_ranker(decisions, settings)
    right = [int(ranker.log_probabilities(own).argmax()) == int(own[:, 1].argmax()) for own in inputs]
    assert np.mean(right) > 0.9
    assert np.exp(ranker.log_probabilities(inputs[0])).sum() == pytest.approx(1)


def test_phrases_find_their_nodes_without_step_texts() -> None:
    """Three rows with two nodes each; only one assignment of the phrases explains them all."""
    phrases = np.eye(3, dtype=np.float32)[[0, 1, 1, 2, 2, 0]]
    texts = Texts(phrases, np.array([0, 0, 1, 1, 2, 2]), np.full(6, -1))
    on_path = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=np.bool_)
    weights = phrase_weights(texts, on_path)
    scores = np.eye(3) @ weights[:, :3].T + weights[:, 3]
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]


def test_agreement_of_paths() -> None:
    assert node_f1("ab", "bc") == 0.5
    assert node_f1("aba", "ab") == 1
    assert link_f1("abc", "abd") == 0.5
    assert link_f1("ab", "ba") == 0
    assert link_f1("a", "b") == 1  # neither has a link
    assert node_f1("", "a") == 0
