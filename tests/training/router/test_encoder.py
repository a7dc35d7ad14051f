"""Export the halves of the encoder, from weights that must be the published ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from agents.octopus.embedding import ENCODER_DIR, Encoder
from tests.training.router.random_bert import load_random

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


def test_exported_halves_compute_what_torch_computes(tmp_path: Path) -> None:
    import torch

    from training.router.encoder import Top, Trunk, export, export_top

    bert = load_random()
    ids = torch.ones(1, 4, dtype=torch.long)
    export(Trunk(bert), {"input_ids": ids, "attention_mask": ids}, "hidden", tmp_path / "trunk.onnx")
    export_top(Top(bert), tmp_path / "top.onnx")
    (tmp_path / "tokenizer.json").write_bytes((ENCODER_DIR / "tokenizer.json").read_bytes())
    encoder = Encoder(tmp_path, threads=1)
    text = "Two halves of a model make one embedding of unit length."
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    tokenizer.no_padding()
    pieces = torch.tensor([tokenizer.encode(text).ids])
    with torch.no_grad():
        mask = torch.ones_like(pieces)
        expected = Top(bert)(Trunk(bert)(pieces, mask), mask)[0].numpy()
    assert float(encoder.embed([text])[0] @ expected) > 0.99


def test_other_weights_than_the_published_are_refused(tmp_path: Path) -> None:
    from training.router.encoder import load_bert

    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match="has sha256"):
        load_bert(tmp_path)
