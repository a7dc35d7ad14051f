"""Maps that bring queries and descriptions nearer, for zero-shot routing of any graph.

    python -m training.router.zero_shot_maps        (extra `train`; a few minutes)

A need ("somewhere quiet near the lake for the weekend") and the tool for it ("Search hotels and holiday
homes") share few words, and the public encoder was not trained on such pairs. A low-rank linear map on either
side is trained by in-batch contrast (InfoNCE, van den Oord et al. 2018, arXiv 1807.03748) on our own texts.
Descriptions count as queries too, so that literal queries do not suffer; several maps from different seeds
are averaged and damped, because one map would learn its tools by heart. Measured on held-out tools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.octopus.embedding import Encoder
from agents.octopus.encoder.background import MAPS_FILE, Background, Maps, load_background
from agents.octopus.encoder.zero_shot import Candidate, describe, unit
from training.router.background import read_tools

RANK, STEPS, BATCH, SEEDS = 64, 150, 384, 5
LEARNING_RATE, WEIGHT_DECAY, DROPOUT, TEMPERATURE = 5e-3, 0.05, 0.5, 0.07
DAMPING = 0.35  # chosen on held-out tools: beyond it literal queries suffer
FOLDS = 4

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ToolTexts:
    """Embedded tools.

    Attributes:
        descriptions: [n, d], as zero-shot routing reads them.
        literal: [n, d], the description alone, as if it were a query.
        queries: [m, d].
        owner: [m], the tool of each query.
    """

    descriptions: Floats
    literal: Floats
    queries: Floats
    owner: NDArray[np.int64]

    @classmethod
    def embed(cls, tools: Sequence[dict[str, Any]], background: Background) -> ToolTexts:
        """Embed `tools` as zero-shot routing does."""
        encoder = Encoder()
        described = describe([Candidate(tool["name"], tool["description"]) for tool in tools], encoder.embed)
        queries = [query for tool in tools for query in tool["queries"]]
        owner = [k for k, tool in enumerate(tools) for _ in tool["queries"]]
        literal = encoder.embed([tool["description"] for tool in tools])
        return cls(
            unit(described - background.description_mean),
            unit(literal - background.query_mean),
            unit(encoder.embed(queries) - background.query_mean),
            np.asarray(owner),
        )


def train_maps(texts: ToolTexts, tools: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """The damped mean maps [d, d] for queries and descriptions, from some of the `tools`."""
    trained = [_train(texts, tools, seed) for seed in range(SEEDS)]
    query, description = (np.mean([pair[side] for pair in trained], axis=0) for side in (0, 1))
    return DAMPING * query, DAMPING * description


def _train(texts: ToolTexts, tools: NDArray[np.int64], seed: int) -> tuple[Floats, Floats]:
    torch.manual_seed(seed)
    place = {int(tool): k for k, tool in enumerate(tools)}
    own = np.flatnonzero(np.isin(texts.owner, tools))
    queries = torch.from_numpy(np.concatenate([texts.queries[own], texts.literal[tools]]))
    gold = torch.tensor([place[int(texts.owner[k])] for k in own] + list(range(len(tools))))
    share = torch.tensor([1.0] * len(own) + [len(own) / len(tools)] * len(tools))
    descriptions = torch.from_numpy(texts.descriptions[tools])
    dimension = queries.shape[1]
    factors = [
        nn.Parameter(torch.randn(dimension, RANK) * 0.02 if first else torch.zeros(RANK, dimension))
        for first in (True, False, True, False)
    ]
    optimizer = torch.optim.AdamW(factors, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for _ in range(STEPS):
        batch = torch.randperm(len(queries))[:BATCH]
        near = _mapped(queries[batch], *factors[:2]) @ _mapped(descriptions, *factors[2:]).T
        losses = nn.functional.cross_entropy(near / TEMPERATURE, gold[batch], reduction="none")
        optimizer.zero_grad()
        (losses * share[batch]).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        return (factors[0] @ factors[1]).numpy(), (factors[2] @ factors[3]).numpy()


def _mapped(vectors: Tensor, first: Tensor, second: Tensor) -> Tensor:
    changed = vectors + nn.functional.dropout(vectors, DROPOUT) @ first @ second
    return nn.functional.normalize(changed, dim=-1)


@dataclass
class HeldOut:
    """What maps do on tools that they were not trained on."""

    best_fitting: list[float]
    best_foreign: list[float]
    ranks_before: list[int]
    ranks_after: list[int]

    def measure(
        self, texts: ToolTexts, tools: NDArray[np.int64], maps: tuple[Floats, Floats], seed: int
    ) -> None:
        """Ranks among the held-out `tools`, and the best cosine with and without the right one present."""
        rng = np.random.default_rng(seed)
        own = np.flatnonzero(np.isin(texts.owner, tools))
        gold = np.asarray([int(np.flatnonzero(tools == texts.owner[k])[0]) for k in own])
        rows = np.arange(len(own))
        before = texts.queries[own] @ texts.descriptions[tools].T
        query, description = (
            unit(side + side @ change)
            for side, change in zip((texts.queries[own], texts.descriptions[tools]), maps, strict=True)
        )
        after = query @ description.T
        for ranks, scores in ((self.ranks_before, before), (self.ranks_after, after)):
            ranks += (scores > scores[rows, gold][:, None]).sum(axis=1).tolist()
        for row, right in enumerate(gold):
            others = rng.permutation(np.delete(np.arange(len(tools)), right))[: rng.integers(1, 7)]
            self.best_foreign.append(float(after[row, others].max()))
            self.best_fitting.append(float(after[row, [right, *others[1:]]].max()))

    def fit(self) -> tuple[float, float]:
        """Slope and bias of the logistic regression of "fits" on the best cosine."""
        cosine = torch.tensor(self.best_fitting + self.best_foreign)
        fits = torch.tensor([1.0] * len(self.best_fitting) + [0.0] * len(self.best_foreign))
        line = torch.zeros(2, requires_grad=True)
        optimizer = torch.optim.LBFGS([line], max_iter=200)

        def loss() -> Tensor:
            optimizer.zero_grad()
            value = nn.functional.binary_cross_entropy_with_logits(line[0] * cosine + line[1], fits)
            value.backward()  # type: ignore[no-untyped-call]
            return value

        optimizer.step(loss)  # type: ignore[no-untyped-call]
        return float(line[0]), float(line[1])


def main() -> None:
    """Train on all tools, having measured on held-out ones, and write the maps."""
    background = load_background()
    tools = read_tools()
    texts = ToolTexts.embed(tools, background)
    order = np.random.default_rng(0).permutation(len(tools))
    held_out = HeldOut([], [], [], [])
    for fold in range(FOLDS):
        seen = np.sort(np.concatenate([order[k::FOLDS] for k in range(FOLDS) if k != fold]))
        held_out.measure(texts, np.sort(order[fold::FOLDS]), train_maps(texts, seen), fold)
    for name, ranks in (("public", held_out.ranks_before), ("mapped", held_out.ranks_after)):
        top = {k: np.mean(np.asarray(ranks) < k) for k in (1, 5)}
        print(f"{name}: top-1 {top[1]:.3f}, top-5 {top[5]:.3f} among held-out tools")  # noqa: T201
    slope, bias = held_out.fit()
    query, description = train_maps(texts, np.arange(len(tools)))
    Maps(query, description, slope, bias).save(MAPS_FILE)
    print(f"{MAPS_FILE.name}: fit {slope:.2f} * cosine {bias:+.2f}")  # noqa: T201


if __name__ == "__main__":
    main()
