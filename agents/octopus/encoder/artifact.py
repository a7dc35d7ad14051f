"""Read and write a graph's artifact: heads, optional upper encoder layers, and a manifest, written last.

manifest.json        what it was trained on, metrics, and per master: facets, temperature, threshold
heads.safetensors    "<master>/vectors" [facets, d] and "<master>/bias" [facets]
lexical.safetensors  "<master>/table" and more, where words are weighed beside the encoder (lexical.py)
planner.safetensors  what was learnt from gold paths, where it was trained on such (planning/stored.py)
top.onnx             upper encoder layers of this graph, where an adapter was trained
languages/           the same once more for the multilingual encoder, where it was trained
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from agents.errors import ArtifactError
from agents.octopus.encoder.lexical import Lexical
from agents.types import NodeName

ARTIFACTS = Path(__file__).parent.parent / "artifacts"
FORMAT = 1
PLANNER = "planner.safetensors"
LEXICAL = "lexical.safetensors"
LANGUAGES = "languages"

M = TypeVar("M", bound=BaseModel)


class MasterManifest(BaseModel):
    """Describe how one routing node reads its head.

    Attributes:
        facets: (node, facet) of each row of the head; node None is "no neighbour fits".
        temperature: divides the logits.
        threshold: probability below which the cascade takes over.
        metrics: figures from the training's cross-validation.
    """

    model_config = ConfigDict(extra="forbid")

    facets: list[tuple[NodeName | None, str]]
    temperature: float = Field(gt=0)
    threshold: float = Field(ge=0, le=1)
    metrics: dict[str, float] = Field(default_factory=dict)


class PlannerManifest(BaseModel):
    """Describe what the tensors of a planner are about.

    Attributes:
        nodes: by place.
        entry: where paths start.
        features: that the ranker weighs.
        metrics: figures from the training's cross-validation.
    """

    model_config = ConfigDict(extra="forbid")

    nodes: list[NodeName]
    entry: NodeName
    features: list[str]
    metrics: dict[str, float] = Field(default_factory=dict)


class Manifest(BaseModel):
    """Describe what an artifact is and what it was made from."""

    model_config = ConfigDict(extra="forbid")

    format: int
    graph: str
    spec_hash: str
    masters: dict[NodeName, MasterManifest]
    planner: PlannerManifest | None = None
    training: dict[str, Any]
    versions: dict[str, str]
    files: dict[str, str]


@dataclass(frozen=True)
class TrainedMaster:
    """Hold one routing node's vectors [facets, d] and bias [facets], with their manifest; and its words."""

    vectors: NDArray[np.float32]
    bias: NDArray[np.float32]
    manifest: MasterManifest
    lexical: Lexical | None = None


@dataclass(frozen=True)
class TrainedPlanner:
    """Hold the planner's part of an artifact."""

    tensors: Mapping[str, NDArray[Any]]
    manifest: PlannerManifest


@dataclass(frozen=True)
class Artifact:
    """Hold a loaded artifact; `top` is None where the public encoder is used as it is."""

    folder: Path
    manifest: Manifest
    masters: Mapping[NodeName, TrainedMaster]
    planner: TrainedPlanner | None = None

    @property
    def top(self) -> Path | None:
        """Return the upper encoder layers of this graph."""
        return self.folder / "top.onnx" if "top.onnx" in self.manifest.files else None


def save_artifact(
    folder: Path,
    *,
    graph: str,
    spec_hash: str,
    masters: Mapping[NodeName, TrainedMaster],
    training: dict[str, Any],
    versions: dict[str, str],
    planner: TrainedPlanner | None = None,
) -> None:
    """Write heads, words and planner, then the manifest, which completes the artifact.

    `top.onnx` may stand there already.
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").unlink(missing_ok=True)
    tensors = {f"{name}/vectors": master.vectors for name, master in masters.items()}
    tensors |= {f"{name}/bias": master.bias for name, master in masters.items()}
    save_file(tensors, folder / "heads.safetensors")
    names = ["heads.safetensors"]
    for name, more in ((PLANNER, planner and dict(planner.tensors)), (LEXICAL, _words(masters))):
        (folder / name).unlink(missing_ok=True)
        if more:
            save_file(more, folder / name)
    names += [name for name in (PLANNER, LEXICAL, "top.onnx") if (folder / name).exists()]
    manifest = Manifest(
        format=FORMAT,
        graph=graph,
        spec_hash=spec_hash,
        masters={name: master.manifest for name, master in masters.items()},
        planner=planner.manifest if planner else None,
        training=training,
        versions=versions,
        files={name: sha256_of(folder / name) for name in names},
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _words(masters: Mapping[NodeName, TrainedMaster]) -> dict[str, NDArray[Any]]:
    return {
        f"{name}/{part}": array
        for name, master in masters.items()
        if master.lexical
        for part, array in master.lexical.to_arrays().items()
    }


def load_artifact(folder: Path) -> Artifact:
    """Read an artifact.

    Raises:
        ArtifactError: no complete artifact is there, or a file is not the one that the manifest names.
    """
    from safetensors.numpy import load_file

    path = folder / "manifest.json"
    hint = "Train it with `octopus train router`."
    manifest = read_manifest_file(path, Manifest, "no complete artifact", hint)
    if manifest.format != FORMAT:
        raise ArtifactError(f"{path}: format {manifest.format!r}; this version reads {FORMAT}.")
    for name, digest in manifest.files.items():
        check_file(folder / name, digest)
    tensors = load_file(folder / "heads.safetensors")
    words = load_file(folder / LEXICAL) if LEXICAL in manifest.files else {}
    masters = {
        name: TrainedMaster(
            tensors[f"{name}/vectors"], tensors[f"{name}/bias"], part, _lexical(name, part, words)
        )
        for name, part in manifest.masters.items()
    }
    planner = None
    if manifest.planner is not None:
        planner = TrainedPlanner(load_file(folder / PLANNER), manifest.planner)
    return Artifact(folder, manifest, masters, planner)


def _lexical(name: NodeName, part: MasterManifest, words: Mapping[str, NDArray[Any]]) -> Lexical | None:
    own = {
        place.removeprefix(f"{name}/"): array
        for place, array in words.items()
        if place.startswith(f"{name}/")
    }
    nodes = list(dict.fromkeys(node for node, _ in part.facets if node is not None))
    return Lexical.from_arrays(nodes, own) if own else None


def shipped_artifact(graph: str) -> Path | None:
    """Return the folder of the artifact that ships for `graph`, if one does."""
    folder = ARTIFACTS / graph
    return folder if (folder / "manifest.json").is_file() else None


@cache
def shipped_artifacts() -> Mapping[str, Path]:
    """Return the folders of the artifacts that ship, by the hash of the spec that each was trained for."""
    found = {}
    for path in ARTIFACTS.glob("*/manifest.json"):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if "spec_hash" in manifest:
            found[str(manifest["spec_hash"])] = path.parent
    return found


def read_manifest_file(path: Path, kind: type[M], missing: str, hint: str) -> M:
    """Read the manifest at `path`.

    Args:
        path: of the file.
        kind: of manifest.
        missing: what the folder does not hold if it cannot be read.
        hint: how to come by it.

    Raises:
        ArtifactError: it is not there, or not of that kind.
    """
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path.parent}: {missing} here ({error}).", hint=hint) from error


def sha256_of(path: Path) -> str:
    """Return the digest of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_file(path: Path, digest: str) -> None:
    """Check that a file is the one whose digest was written down.

    Raises:
        ArtifactError: it is not, or not there.
    """
    if not path.is_file() or sha256_of(path) != digest:
        raise ArtifactError(f"{path}: missing, or not the file that the manifest names.")
