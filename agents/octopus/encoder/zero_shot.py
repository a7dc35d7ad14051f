"""Route without training: functional-token logits from names, descriptions and examples.

One vector per neighbour. The neighbour is written in four ways (its description, and requests made from name
and description), because a query reads like a request and a docstring does not; their mean is the vector.
What all descriptions share and what all queries share is subtracted: sentence embeddings lie in a narrow
cone, and its axis says nothing about which neighbour fits. Example queries move the vector towards
themselves, the more the more there are. To the cosine comes BM25, for the rare words that embeddings blur.

Source of the centring: J. Mu and P. Viswanath, All-but-the-Top, ICLR 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from agents.errors import ArtifactError, SpecError
from agents.octopus.encoder.background import Background, Maps, load_background, load_maps
from agents.octopus.encoder.bm25 import LexicalIndex, split_identifier

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
"""Turn n texts into unit vectors [n, d]."""

# Chosen on the tool descriptions and queries of training/text/tools.jsonl and on UltraTool's training rows.
_BACKGROUND_WEIGHT = 10.0  # how many neighbours the background counts for in the mean of the descriptions
_EXAMPLE_HALF = 3.0  # so many examples weigh half as much as the name and description
LEXICAL_WEIGHT = 0.006  # of BM25 against the cosine
_TEMPERATURE = 0.05
_POSTINGS = ("vocabulary", "offsets", "documents", "weights")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Describe a neighbour as its spec does; `examples` are queries that belong to it."""

    name: str
    description: str
    examples: tuple[str, ...] = ()


class Scores(NamedTuple):
    """Hold one decision: logits [n], to be softmaxed, and the probability that any neighbour fits."""

    logits: Vectors
    fit: float


@dataclass(frozen=True)
class ZeroShotHead:
    """Hold what is precomputed for n neighbours.

    Attributes:
        vectors: [n, d] centred, of length one.
        query_centre: [d] what is subtracted from a query's embedding.
        lexical: BM25 over names and descriptions.
        maps: what brings queries nearer to descriptions; the descriptions have gone through theirs.
    """

    vectors: Vectors
    query_centre: Vectors
    lexical: LexicalIndex
    maps: Maps

    @classmethod
    def build(
        cls,
        candidates: Sequence[Candidate],
        embed: Embed,
        background: Background | None = None,
        maps: Maps | None = None,
    ) -> Self:
        """Embed and index `candidates`: four texts each and their examples.

        Raises:
            SpecError: there are no candidates.
            ArtifactError: the shipped background cannot be read.
        """
        if not candidates:
            raise SpecError("zero-shot routing has no neighbours to choose from.", hint="Add one.")
        background, maps = background or load_background(), maps or load_maps()
        described = describe(candidates, embed)
        weight = len(candidates) + _BACKGROUND_WEIGHT
        mean = (described.sum(axis=0) + _BACKGROUND_WEIGHT * background.description_mean) / weight
        centre = background.query_mean
        vectors = mapped(unit(described - mean), maps.description)

        def as_query(texts: Sequence[str]) -> Vectors:
            return mapped(unit(embed(texts) - centre), maps.query)

        texts = [f"{candidate.name}: {candidate.description}" for candidate in candidates]
        return cls(
            vectors=_with_examples(vectors, candidates, as_query),
            query_centre=centre,
            lexical=LexicalIndex.build(texts, background.document_frequency, background.size),
            maps=maps,
        )

    def scores(self, query: str, vector: Vectors, lexical: float = LEXICAL_WEIGHT) -> Scores:
        """Score every neighbour for one query.

        The logits have a temperature that suits unseen tools. `fit` takes a query that fits and one that
        does not as equally likely beforehand.

        Args:
            query: its text.
            vector: [d] its embedding by the encoder that built the head.
            lexical: what a unit of BM25 counts beside the cosine.
        """
        cosine = self.vectors @ mapped(unit(vector - self.query_centre), self.maps.query)
        total = cosine + lexical * self.lexical.scores(query)
        evidence = self.maps.slope * cosine[int(total.argmax())] + self.maps.bias
        logits = np.asarray(total / _TEMPERATURE, dtype=np.float32)
        return Scores(logits=logits, fit=float(1 / (1 + np.exp(-evidence))))

    def reader(self, queries: Sequence[str], vectors: Vectors) -> Callable[[NDArray[np.int64]], Vectors]:
        """Return a function: neighbours [m] → [queries, m] cosines with BM25, without temperature.

        Args:
            queries: their texts.
            vectors: [queries, d] their embeddings.
        """
        turned = mapped(unit(vectors - self.query_centre), self.maps.query)
        lexical = LEXICAL_WEIGHT * np.stack([self.lexical.scores(query) for query in queries])
        return lambda rows: np.asarray(turned @ self.vectors[rows].T + lexical[:, rows], dtype=np.float32)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the head as arrays, to be cached under a hash of what it was built from."""
        postings = {name: getattr(self.lexical, name) for name in _POSTINGS}
        return {"vectors": self.vectors, "query_centre": self.query_centre, **postings}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], maps: Maps | None = None) -> Self:
        """Build a head from what `to_arrays` returned.

        Raises:
            ArtifactError: an array is missing.
        """
        try:
            vectors, centre = arrays["vectors"], arrays["query_centre"]
            index = LexicalIndex(len(vectors), *(arrays[name] for name in _POSTINGS))
            return cls(vectors, centre, index, maps or load_maps())
        except KeyError as error:
            raise ArtifactError(f"a zero-shot head has no array {error}.", hint="Build it again.") from error


def describe(candidates: Sequence[Candidate], embed: Embed) -> Vectors:
    """Return a unit vector [n, d] per candidate from its name and description, not centred."""
    texts = [text for candidate in candidates for text in _facets(candidate)]
    embedded = embed(texts)
    return unit(embedded.reshape(len(candidates), -1, embedded.shape[1]).sum(axis=1))


def _facets(candidate: Candidate) -> tuple[str, str, str, str]:
    name, description = split_identifier(candidate.name), candidate.description.strip()
    request = description[:1].lower() + description[1:]
    return (
        description,
        f"Please help me: {request}",
        f"Please help me {name}: {request}",
        f"Please help me {name}.",
    )


def _with_examples(vectors: Vectors, candidates: Sequence[Candidate], embed: Embed) -> Vectors:
    """Move each vector towards the mean of its candidate's examples."""
    examples = [example for candidate in candidates for example in candidate.examples]
    if not examples:
        return vectors
    embedded = embed(examples)
    moved, start = vectors.copy(), 0
    for row, candidate in enumerate(candidates):
        count = len(candidate.examples)
        if count:
            mean = unit(embedded[start : start + count].sum(axis=0))
            moved[row] = unit(vectors[row] + count / (count + _EXAMPLE_HALF) * mean)
        start += count
    return moved


def mapped(vectors: Vectors, change: Vectors) -> Vectors:
    """Move unit `vectors` [..., d] by the linear map `change` [d, d]."""
    return unit(vectors + vectors @ change)


def unit(vectors: Vectors) -> Vectors:
    """Return `vectors` [..., d], each of length one; zeros stay."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)
