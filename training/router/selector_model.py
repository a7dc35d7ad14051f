"""Select the model that answers a question best, before any is asked or from what some of them said.

manifest.json         models, categories, panel, metrics; written last, so that it completes the artifact
selector.safetensors  the tensors of `Selector`

There are two ways to pick. `choose` asks one model: its expected correctness comes from the question's
categories, as the encoder sees them, and from a ridge regression on the embedding. `agree` asks a panel: each
answer gets the votes of the models that gave it, weighted by category, and a model that gave the best answer
is picked (stacking, Wolpert 1992; the reliability of each voter is learnt as in Dawid and Skene 1979, here
from gold answers).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agents.errors import ArtifactError
from agents.octopus.calibration import softmax
from agents.octopus.encoder.artifact import ARTIFACTS, check_file, read_manifest_file, sha256_of
from training.linear import Floats

SILENT = -1
"""The place that stands for an answer that names no option."""

_FORMAT = 1
_TENSORS = "selector.safetensors"


class SelectorManifest(BaseModel):
    """Describe a selector.

    Attributes:
        models: by place.
        categories: by place.
        panel: places of the models that `agree` asks, the best first.
        training: what it was trained on, and how.
        metrics: out-of-fold figures of that training.
    """

    model_config = ConfigDict(extra="forbid")

    format: int = _FORMAT
    models: list[str]
    categories: list[str]
    panel: list[int]
    training: dict[str, Any]
    metrics: dict[str, float]
    sha256: str = ""


@dataclass(frozen=True)
class Selector:
    """Hold learnt estimates; d is the encoder's dimension.

    Attributes:
        category_vectors, category_bias: [categories, d] and [categories], logits of a question's category.
        accuracy: [categories, models], shrunk towards each model's mean.
        centre, slopes: [d] and [models, d], what the embedding adds to that.
        votes: [panel, 1 + categories], weight of each panellist's answer, and how categories change it.
        seen: sorted digests of the training questions, so that none of them is measured.
    """

    category_vectors: Floats
    category_bias: Floats
    accuracy: Floats
    centre: Floats
    slopes: Floats
    votes: Floats
    seen: NDArray[np.int64]

    def categories(self, inputs: NDArray[np.floating]) -> Floats:
        """Return category probabilities [n, categories] of embeddings [n, d]."""
        return softmax(inputs @ self.category_vectors.T + self.category_bias)

    def expected(self, inputs: NDArray[np.floating], categories: Floats) -> Floats:
        """Return the expected correctness of each model, [n, models]."""
        return np.asarray(categories @ self.accuracy + (inputs - self.centre) @ self.slopes.T)

    def choose(self, inputs: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return the one model to ask for each question, [n]."""
        return np.asarray(self.expected(inputs, self.categories(inputs)).argmax(axis=1), dtype=np.int64)

    def agree(
        self, inputs: NDArray[np.floating], answers: NDArray[np.int64], panel: list[int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the model whose answer to take after the panel was asked.

        Args:
            inputs: embeddings [n, d].
            answers: [n, models], the index of the option that each model gave, or `SILENT`; only the
                panel's columns are read.
            panel: places of the panellists.

        Returns:
            Models [n] (the one of `choose` where the whole panel is silent), and calls [n]: a panellist
            who could no longer change the outcome is not asked.
        """
        categories = self.categories(inputs)
        weights = vote_features(categories) @ self.votes.T
        alone = self.expected(inputs, categories).argmax(axis=1)
        picked, calls = np.array(alone, dtype=np.int64), np.zeros(len(inputs), dtype=np.int64)
        for row in range(len(inputs)):
            won, calls[row] = _poll(weights[row], answers[row, panel])
            if won != SILENT:
                picked[row] = panel[won]
            elif alone[row] not in panel:  # all were silent, so one more is asked
                calls[row] += 1
        return picked, calls


def vote_features(categories: Floats) -> Floats:
    """Return what the weight of a vote depends on, [n, 1 + categories]."""
    return np.concatenate([np.ones((len(categories), 1)), categories], axis=1)


def _poll(weights: Floats, answers: NDArray[np.int64]) -> tuple[int, int]:
    """Return the panellist whose answer wins, or `SILENT`, and how many were asked, heaviest first."""
    order = np.argsort(-np.abs(weights), kind="stable")
    left = float(np.abs(weights).sum())
    votes: dict[int, float] = {}
    asked = 0
    for voter in order:
        asked += 1
        left -= abs(float(weights[voter]))
        if answers[voter] != SILENT:
            votes[int(answers[voter])] = votes.get(int(answers[voter]), 0.0) + float(weights[voter])
        ranked = sorted(votes.values(), reverse=True)
        # An option that nobody has named yet starts at zero, and those who are left may all vote for it.
        if ranked and ranked[0] - max([0.0, *ranked[1:2]]) > left:
            break
    if not votes:
        return SILENT, asked
    best = max(votes, key=lambda option: votes[option])
    backers = [voter for voter in order[:asked] if answers[voter] == best]
    return int(backers[0]), asked


def digests(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the first 8 bytes of each text's SHA-256, [n]; case and outer space do not count."""
    plain = [hashlib.sha256(text.casefold().strip().encode()).digest()[:8] for text in texts]
    return np.frombuffer(b"".join(plain), dtype="<i8").astype(np.int64)


def save_selector(folder: Path, selector: Selector, manifest: SelectorManifest) -> None:
    """Write the tensors, then the manifest, which completes the artifact."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").unlink(missing_ok=True)
    tensors = {own.name: np.ascontiguousarray(getattr(selector, own.name)) for own in fields(Selector)}
    save_file(
        {name: own.astype(np.float32) if name != "seen" else own for name, own in tensors.items()},
        folder / _TENSORS,
    )
    complete = manifest.model_copy(update={"sha256": sha256_of(folder / _TENSORS)})
    (folder / "manifest.json").write_text(complete.model_dump_json(indent=2) + "\n", encoding="utf-8")


def load_selector(folder: Path) -> tuple[Selector, SelectorManifest]:
    """Read a selector.

    Raises:
        ArtifactError: there is no complete selector, or its tensors are not those of the manifest.
    """
    from safetensors.numpy import load_file

    path = folder / "manifest.json"
    hint = "Train it with `octopus train selector`."
    manifest = read_manifest_file(path, SelectorManifest, "no complete selector", hint)
    if manifest.format != _FORMAT:
        raise ArtifactError(f"{path}: format {manifest.format!r}; this version reads {_FORMAT}.")
    check_file(folder / _TENSORS, manifest.sha256)
    loaded = load_file(folder / _TENSORS)
    seen = loaded.pop("seen")
    return Selector(
        **{name: tensor.astype(np.float64) for name, tensor in loaded.items()}, seen=seen
    ), manifest


def find_selector(name: str) -> tuple[Selector, SelectorManifest]:
    """Load the selector that ships as `name`, or else the one in that folder.

    Raises:
        ArtifactError: there is no complete one.
    """
    shipped = ARTIFACTS / "selectors" / name
    return load_selector(shipped if name.isidentifier() and shipped.is_dir() else Path(name))
