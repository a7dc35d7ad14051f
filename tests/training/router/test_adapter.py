"""Train upper encoder layers from random weights: it repeats, and its result routes without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.octopus.embedding import Encoder
from tests.training.router.random_bert import load_random
from training.rows.labelled_rows import Labelled, RouterRow

pytestmark = [
    pytest.mark.train,
    # Of the exporter and of torch's own code.
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning",
        "ignore::UserWarning",
        "ignore::FutureWarning",
        "ignore::torch.jit.TracerWarning",
    ),
]

FOOD = ["bake bread", "boil eggs", "fry onions", "roast a duck", "season a soup", "whip cream", "knead dough"]
CARS = [
    "change a tyre",
    "check the oil",
    "brakes squeal",
    "engine stalls",
    "new exhaust",
    "gearbox",
    "wipers",
]
ROWS = [RouterRow(query=text, node="food") for text in FOOD] + [RouterRow(query=t, node="cars") for t in CARS]


@pytest.fixture(autouse=True)
def _random_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from random weights in the place of the public ones."""
    import training.router.adapter

    monkeypatch.setattr(training.router.adapter, "load_bert", load_random)


def test_training_repeats(tmp_path: Path) -> None:
    from training.router.adapter import Adaptable, AdapterSettings, train_adapter

    def train() -> Any:
        settings = AdapterSettings(epochs=3, tokens_per_batch=64, threads=1)
        return train_adapter(Labelled.of(ROWS), Adaptable.english(tmp_path, settings), shares.append)

    shares: list[float] = []
    (_, first), (_, second) = train(), train()
    np.testing.assert_array_equal(first.vectors, second.vectors)
    assert first.vectors.shape == (2, 384)
    assert sum(shares) == pytest.approx(2)


def test_an_adapted_router_routes_without_torch(tmp_path: Path) -> None:
    from agents.octopus.encoder.artifact import load_artifact
    from agents.octopus.encoder.heads import trained_head
    from agents.octopus.encoder.zero_shot import Candidate
    from agents.types import NodeName
    from training.router.trainer import RouterSettings, train_router

    train_router(
        ROWS,
        master=NodeName("octopus"),
        graph="test",
        spec_hash="",
        out=tmp_path,
        settings=RouterSettings(adapter=True, epochs=1, folds=2, public_weights=tmp_path),
    )
    artifact = load_artifact(tmp_path)
    assert artifact.top == tmp_path / "top.onnx"
    vector = Encoder(threads=1).embed(["bake a cake"], top=artifact.top)[0]
    part = artifact.masters[NodeName("octopus")]
    head = trained_head(
        part, [Candidate("food", "food"), Candidate("cars", "cars")], Encoder(threads=1).embed
    )
    assert head.probabilities("bake a cake", vector).sum() == pytest.approx(1)
    assert not (tmp_path / "held_out.onnx").exists()
