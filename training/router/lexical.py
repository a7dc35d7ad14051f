"""Train the words that stand beside the multilingual encoder, and choose how much they count.

Multinomial logistic regression over hashed pieces of words; its share is the one that makes held-out texts
likeliest, chosen apart for text that is written with spaces and without: of either there may be too few rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from agents.octopus.conversation.language import ENGLISH, language_of
from agents.octopus.encoder.lexical import BUCKETS, Lexical, pieces, pooled, unspaced
from training.linear import Floats, train_head
from training.rows.labelled_rows import Labelled

SHARES = np.arange(0, 0.61, 0.1)
_LEAST_TEXTS = 50  # that a share is chosen on
_PENALTY = 0.06
_ITERATIONS = 40  # more cost minutes and change nothing


Pool = tuple[Floats, Floats, NDArray[np.int64]]  # the encoder's probabilities, the words', the right place


@dataclass(frozen=True)
class HeldOut:
    """Hold what the encoder says of texts that it was not trained on.

    Attributes:
        fold: that the rows are held out in.
        rows: places of the measured rows.
        found: [m, nodes] probabilities of all their texts, as in `Labelled.nodes`.
    """

    fold: int
    rows: Sequence[int]
    found: Floats


def train_lexical(data: Labelled, folds: NDArray[np.int64], held_out: Sequence[HeldOut]) -> Lexical | None:
    """Train on all rows; the share is chosen by trainings without each fold of `held_out`.

    Returns:
        None if there is a neighbour without a text in another language than English.
    """
    words = _Words(data)
    if not words.complete:
        return None
    pools: dict[bool, list[Pool]] = {False: [], True: []}
    for part in held_out:
        without = words.train(np.flatnonzero(folds != part.fold))
        for apart, pool in pools.items():
            pool.append(words.beside(part, without, apart))
    shares = [_share(pools[apart]) for apart in (False, True)]
    return replace(words.train(np.arange(len(data.rows))), shares=np.asarray(shares, dtype=np.float32))


def _share(pool: Sequence[Pool]) -> float:
    """Return the share of the lexical probabilities with the least loss on (encoder's, lexical, gold)."""
    found, lexical, gold = (np.concatenate(list(column)) for column in zip(*pool, strict=True))
    if len(gold) < _LEAST_TEXTS:
        return 0.0
    places = np.arange(len(gold))
    loss = [-np.log(pooled(found, lexical, share)[places, gold] + 1e-9).mean() for share in SHARES]
    return float(SHARES[int(np.argmin(loss))])


class _Words:
    """Hold the pieces of all texts in other languages than English, which the encoder reads alone."""

    def __init__(self, data: Labelled) -> None:
        self.nodes = [node for node in data.nodes if node is not None]
        self._columns = [data.nodes.index(node) for node in self.nodes]
        label = {node: k for k, node in enumerate(self.nodes)}
        texts = [
            (text, row, label[node])
            for row, one in enumerate(data.rows)
            if (node := data.facets[data.labels[row]][0]) is not None
            for text in one.texts
            if language_of(text) != ENGLISH
        ]
        self._data, self._texts = data, [text for text, _, _ in texts]
        self._row = np.array([row for _, row, _ in texts], dtype=np.int64)
        self._gold = np.array([gold for _, _, gold in texts], dtype=np.int64)

    @property
    def complete(self) -> bool:
        """Return whether there are texts for every neighbour."""
        return len(np.unique(self._gold)) == len(self.nodes)

    def train(self, rows: NDArray[np.int64]) -> Lexical:
        """Train on the texts of `rows`; weights are kept in bytes."""
        own = np.isin(self._row, rows)
        weights = np.array([self._data.rows[row].weight for row in self._row[own]])
        head = train_head(
            self._inputs[own],
            self._gold[own],
            weights,
            len(self.nodes),
            penalty=_PENALTY,
            iterations=_ITERATIONS,
        )
        vectors, bias = head.vectors.T.astype(np.float32), head.bias.astype(np.float32)
        step = np.maximum(np.abs(vectors).max(axis=0), 1e-6) / 127
        table = np.round(vectors / step).astype(np.int8)
        return Lexical(self.nodes, table, step, bias, np.zeros(2, dtype=np.float32))

    def beside(self, part: HeldOut, words: Lexical, apart: bool) -> Pool:
        """Return what both say of the held-out texts, of those that are written without spaces or with."""
        texts = [text for row in part.rows for text in self._data.rows[row].texts]
        rows = [row for row in part.rows for _ in self._data.rows[row].texts]
        gold = [self._data.facets[self._data.labels[row]][0] for row in rows]
        own = [
            k
            for k, text in enumerate(texts)
            if gold[k] is not None and language_of(text) != ENGLISH and unspaced(text) == apart
        ]
        found = part.found[own][:, self._columns]
        found = np.append(found, 1 - found.sum(axis=1, keepdims=True), axis=1)
        lexical = [words.probabilities(texts[k]) for k in own]
        return (
            found,
            np.array(lexical).reshape(len(own), len(self.nodes)),
            np.array([self.nodes.index(node) for k in own if (node := gold[k]) is not None], dtype=np.int64),
        )

    @cached_property
    def _inputs(self) -> Any:
        found = [pieces(text) for text in self._texts]
        ends = np.cumsum([0, *(len(buckets) for buckets, _ in found)])
        columns, values = (np.concatenate(list(part)) for part in zip(*found, strict=True))
        return csr_array((values, columns, ends), shape=(len(found), BUCKETS))
