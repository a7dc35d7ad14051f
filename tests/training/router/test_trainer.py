"""Train a router on a few rows: folds, calibration, and the same bytes again."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.errors import InputError
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.artifact import load_artifact
from agents.octopus.encoder.heads import trained_head
from agents.octopus.encoder.zero_shot import Candidate
from agents.types import NodeName
from training.router.trainer import RouterSettings, train_router
from training.rows.labelled_rows import RouterRow

MASTER = NodeName("master")
COOKING = [
    "bake bread",
    "roast a duck",
    "boil eggs",
    "fry onions",
    "season a soup",
    "whisk cream",
    "knead dough",
]
CARS = [
    "change a tyre",
    "check the oil",
    "brakes squeal",
    "engine stalls",
    "gearbox noise",
    "new exhaust",
    "wipers",
]
NONE = ["asdf qwer", "zzzz", "lorem ipsum", "blah blah", "xkcd qq", "hmm hmm"]
ROWS = [
    *(
        RouterRow(query=text, node="cooking", facet="heat" if k % 2 else "prep")
        for k, text in enumerate(COOKING)
    ),
    *(RouterRow(query=text, node="cars", variants=(f"{text}, please",)) for text in CARS),
    *(RouterRow(query=text, node=None, held_out=False) for text in NONE),
]


def train(out: Path, rows: list[RouterRow] = ROWS, **changes: object) -> dict[str, float]:
    return train_router(
        rows,
        master=MASTER,
        graph="small",
        spec_hash="0" * 64,
        out=out,
        settings=RouterSettings(folds=3, **changes),  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("artifact")
    train(out)
    return out


def test_the_artifact_says_what_it_was_trained_on(artifact: Path) -> None:
    manifest = load_artifact(artifact).manifest
    part = manifest.masters[MASTER]
    assert manifest.graph == "small"
    assert manifest.training["rows"] == len(ROWS)
    assert manifest.training["measured_rows"] == len(COOKING) + len(CARS)
    assert part.facets == [("cars", ""), ("cooking", "heat"), ("cooking", "prep"), (None, "")]
    assert part.metrics["accuracy"] > 0.7
    assert part.metrics["held_out_texts"] == len(COOKING) + 2 * len(CARS)
    assert {"ece_before", "ece_after", "macro_accuracy"} < part.metrics.keys()


def test_the_trained_router_routes(artifact: Path, encoder: Encoder) -> None:
    part = load_artifact(artifact).masters[MASTER]
    candidates = [Candidate("cooking", "Food."), Candidate("cars", "Vehicles.")]
    head = trained_head(part, candidates, encoder.embed)
    for query, place in (("simmer a stew", 0), ("replace the clutch", 1)):
        probabilities = head.probabilities(query, encoder.embed([query])[0])
        assert int(probabilities.argmax()) == place
        assert probabilities.sum() == pytest.approx(1)


def test_training_again_gives_the_same_bytes(artifact: Path, tmp_path: Path) -> None:
    train(tmp_path)
    for name in ("heads.safetensors", "manifest.json"):
        assert (tmp_path / name).read_bytes() == (artifact / name).read_bytes()


def test_continuing_keeps_known_facets_in_place(artifact: Path, tmp_path: Path) -> None:
    start = load_artifact(artifact)
    rows = [*ROWS, *(RouterRow(query=f"violin lesson {k}", node="arts") for k in range(4))]
    train_router(
        rows, master=MASTER, graph="small", spec_hash="0" * 64, out=tmp_path,
        settings=RouterSettings(folds=3), start=start,
    )  # fmt: skip
    facets = load_artifact(tmp_path).masters[MASTER].manifest.facets
    known = start.masters[MASTER].manifest.facets
    assert facets[: len(known)] == known
    assert facets[len(known) :] == [("arts", "")]


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 rows that may be held out are too few for 3 folds"):
        train(tmp_path, [ROWS[0], ROWS[8]])
    with pytest.raises(InputError, match="all rows are for 'cooking'"):
        train(tmp_path, ROWS[:7])
    assert not list(tmp_path.iterdir())
