"""Training upper encoder layers, and exporting halves of the encoder.

The architecture is MiniLM's, its weights are random: the public ones are not needed to see that training
repeats and that an export computes the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.octopus.embedding import ENCODER_DIR, Encoder
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


@pytest.fixture
def bert(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A randomly initialised model in the place of the public one."""
    import torch
    from transformers import BertConfig, BertModel

    import training.router.adapter

    def load(weights: Path | None = None, *, attention: str = "eager") -> Any:
        torch.manual_seed(0)
        shape: dict[str, Any] = {
            "hidden_size": 384,
            "num_hidden_layers": 6,
            "num_attention_heads": 12,
            "intermediate_size": 1536,
            "attn_implementation": attention,
        }
        model: Any = BertModel(BertConfig(**shape), add_pooling_layer=False)
        return model.eval()

    monkeypatch.setattr(training.router.adapter, "load_bert", load)
    return load()


def test_exported_halves_compute_what_torch_computes(bert: Any, tmp_path: Path) -> None:
    import torch

    from training.router.encoder import Top, Trunk, export, export_top

    ids = torch.ones(1, 4, dtype=torch.long)
    export(Trunk(bert), {"input_ids": ids, "attention_mask": ids}, "hidden", tmp_path / "trunk.onnx")
    export_top(Top(bert), tmp_path / "top.onnx")
    (tmp_path / "tokenizer.json").write_bytes((ENCODER_DIR / "tokenizer.json").read_bytes())
    encoder = Encoder(tmp_path, threads=1)
    text = "Two halves of a model make one embedding of unit length."
    pieces = torch.tensor([encoder._windows(text)[0]])
    with torch.no_grad():
        mask = torch.ones_like(pieces)
        expected = Top(bert)(Trunk(bert)(pieces, mask), mask)[0].numpy()
    assert float(encoder.embed([text])[0] @ expected) > 0.99


def test_training_repeats(bert: Any, tmp_path: Path) -> None:
    from training.router.adapter import AdapterSettings, train_adapter

    def train() -> Any:
        return train_adapter(
            Labelled.of(ROWS),
            tmp_path,
            Encoder(threads=1),
            AdapterSettings(epochs=3, tokens_per_batch=64, threads=1),
            shares.append,
        )

    shares: list[float] = []
    (_, first), (_, second) = train(), train()
    np.testing.assert_array_equal(first.vectors, second.vectors)
    assert first.vectors.shape == (2, 384)
    assert sum(shares) == pytest.approx(2)


def test_other_weights_than_the_published_are_refused(tmp_path: Path) -> None:
    from training.router.encoder import load_bert

    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match="has sha256"):
        load_bert(tmp_path)


def test_an_adapted_router_routes_without_torch(bert: Any, tmp_path: Path) -> None:
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
