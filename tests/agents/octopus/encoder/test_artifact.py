"""Trained artifacts: complete or refused, of this graph or refused, open to new workers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from agents.errors import ArtifactError
from agents.octopus.embedding import Encoder
from agents.octopus.encoder.artifact import MasterManifest, TrainedMaster, load_artifact, save_artifact
from agents.octopus.encoder.heads import trained_head
from agents.octopus.encoder.zero_shot import Candidate
from agents.types import NodeName

MASTER, RED, BLUE = (NodeName(name) for name in ("master", "red", "blue"))
COLOURS = [
    Candidate("red", "Red things: tomatoes, roses, fire engines."),
    Candidate("blue", "The sea and the sky."),
]


def trained() -> TrainedMaster:
    """Facets red/a, red/b, blue and none, told apart by the first four dimensions."""
    vectors = np.zeros((4, 384), dtype=np.float32)
    vectors[range(4), range(4)] = 9
    facets: list[tuple[NodeName | None, str]] = [(RED, "a"), (RED, "b"), (BLUE, ""), (None, "")]
    return TrainedMaster(
        vectors, np.zeros(4, dtype=np.float32), MasterManifest(facets=facets, temperature=1.0, threshold=0.3)
    )


def saved(folder: Path) -> Path:
    save_artifact(
        folder,
        graph="colours",
        spec_hash="0" * 64,
        masters={MASTER: trained()},
        training={"rows": 4},
        versions={"numpy": np.__version__},
    )
    return folder


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    artifact = load_artifact(saved(tmp_path))
    part, original = artifact.masters[MASTER], trained()
    np.testing.assert_array_equal(part.vectors, original.vectors)
    np.testing.assert_array_equal(part.bias, original.bias)
    assert part.manifest == original.manifest
    assert artifact.top is None
    assert artifact.manifest.training == {"rows": 4}


def test_the_manifest_comes_last(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / "heads.safetensors").unlink()
    (tmp_path / "heads.safetensors").mkdir()  # the heads cannot be written now
    with pytest.raises(Exception, match=r".+"):
        saved(tmp_path)
    assert not (tmp_path / "manifest.json").exists()


def test_an_unfinished_artifact_is_refused(tmp_path: Path) -> None:
    (saved(tmp_path) / "manifest.json").unlink()
    with pytest.raises(ArtifactError, match=r"no complete artifact here.*octopus train router"):
        load_artifact(tmp_path)


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    path = saved(tmp_path) / "heads.safetensors"
    content = bytearray(path.read_bytes())
    if damage == "remove":
        path.unlink()
    else:
        content[-1] ^= 1
        path.write_bytes(content if damage == "flip" else content[:-1])
    with pytest.raises(ArtifactError, match=r"heads\.safetensors: missing, or not the file"):
        load_artifact(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"format": 99}, "format 99; this version reads 1"), ({"colour": "red"}, "no complete artifact")],
)
def test_a_manifest_of_another_form_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = saved(tmp_path) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ArtifactError, match=message):
        load_artifact(tmp_path)


def test_an_artifact_for_other_neighbours_is_refused(encoder: Encoder) -> None:
    with pytest.raises(ArtifactError, match="trained for other neighbours"):
        trained_head(trained(), [Candidate("green", "Grass.")], encoder.embed)


def test_facets_add_up_and_none_comes_last(encoder: Encoder) -> None:
    head = trained_head(trained(), list(reversed(COLOURS)), encoder.embed)
    blue, red, none = head.probabilities("", np.eye(384, dtype=np.float32)[1])
    assert red > 0.99
    assert blue + red + none == pytest.approx(1)
    assert blue == pytest.approx(none)
    assert red > head.probabilities("", np.eye(384, dtype=np.float32)[1] * 0)[1] == pytest.approx(0.5)
    assert head.calibrated


def test_a_neighbour_that_left_is_forgotten(encoder: Encoder) -> None:
    head = trained_head(trained(), COLOURS[1:], encoder.embed)
    assert head.probabilities("", np.eye(384, dtype=np.float32)[0]).shape == (2,)
    assert len(head.vectors) == 2


def test_a_new_worker_needs_no_training(encoder: Encoder) -> None:
    new = Candidate("music", "Songs, composers and instruments.", ("Who wrote this symphony?",))
    head = trained_head(trained(), [*COLOURS, new], encoder.embed)
    assert not head.calibrated
    query = "Which composer wrote the ninth symphony?"
    probabilities = head.probabilities(query, encoder.embed([query])[0])
    assert probabilities.shape == (4,)
    assert int(probabilities.argmax()) == 2
    known = head.probabilities("", np.eye(384, dtype=np.float32)[2])
    assert int(known.argmax()) == 1
