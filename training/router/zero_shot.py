"""Make what zero-shot routing ships with, from the tool descriptions and queries written for this project.

    python -m training.router.zero_shot background [--languages] [--tools FILE] [--out DIR]   (seconds)
    python -m training.router.zero_shot maps [--languages] [--tools FILE] [--out DIR]   (`train`; minutes)

Run both again when the shipped encoder or the texts change; `--languages` makes those of the second one.

The background holds the means that are subtracted from embeddings, and the frequencies of terms. The maps
bring queries and descriptions nearer to each other: a need ("somewhere quiet near the lake for the weekend")
and the tool for it ("Search hotels and holiday homes") share few words, and the public encoder was not
trained on such pairs. A low-rank linear map on either side is trained by in-batch contrast (InfoNCE, van den
Oord et al. 2018, arXiv 1807.03748). Descriptions count as queries too, so that literal queries do not suffer.
Maps of several seeds are averaged and damped, because one map would learn its tools by heart. All figures
come from tools that training did not see.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agents.octopus.embedding import MULTILINGUAL_DIR, Encoder, MultilingualEncoder
from agents.octopus.encoder.artifact import ARTIFACTS
from agents.octopus.encoder.background import (
    BACKGROUND,
    MAPS,
    Background,
    Maps,
    load_background,
)
from agents.octopus.encoder.bm25 import document_frequencies
from agents.octopus.encoder.zero_shot import Candidate, Embed, describe, unit

if TYPE_CHECKING:
    from torch import Tensor

TOOLS_FILE = Path(__file__).parent.parent / "text" / "tools.jsonl"
RANK, STEPS, BATCH, SEEDS = 64, 150, 384, 5
LEARNING_RATE, WEIGHT_DECAY, DROPOUT, TEMPERATURE = 5e-3, 0.05, 0.5, 0.07
DAMPING = 0.35  # chosen on held-out tools: beyond it literal queries suffer
FOLDS = 4

Floats = NDArray[np.float32]


def build_background(tools: Sequence[Mapping[str, Any]], embed: Embed) -> Background:
    """Compute means and term frequencies of `tools` (rows with `name`, `description`, `queries`).

    Raises:
        ValueError: there are no tools.
    """
    if not tools:
        raise ValueError("a background needs tools: there are none")
    candidates = [Candidate(tool["name"], tool["description"]) for tool in tools]
    queries = [query for tool in tools for query in tool["queries"]]
    return Background(
        query_mean=embed(queries).mean(axis=0),
        description_mean=describe(candidates, embed).mean(axis=0),
        document_frequency=document_frequencies([f"{tool['name']}: {tool['description']}" for tool in tools]),
        size=len(tools),
    )


def read_tools(path: Path = TOOLS_FILE) -> list[dict[str, Any]]:
    """Read a JSON-lines file of tools."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@dataclass(frozen=True)
class ToolTexts:
    """Hold embedded tools.

    Attributes:
        descriptions: [n, d], as zero-shot routing reads them.
        literal: [n, d], the descriptions alone, as if they were queries.
        queries: [m, d].
        owner: [m], the tool of each query.
    """

    descriptions: Floats
    literal: Floats
    queries: Floats
    owner: NDArray[np.int64]

    @classmethod
    def embed(cls, tools: Sequence[dict[str, Any]], background: Background, encoder: Encoder) -> ToolTexts:
        """Embed `tools` as zero-shot routing does."""
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
    """Train on some of the tools; return the damped mean maps [d, d] for queries and descriptions."""
    trained = [_train(texts, tools, seed) for seed in range(SEEDS)]
    query, description = (np.mean([pair[side] for pair in trained], axis=0) for side in (0, 1))
    return DAMPING * query, DAMPING * description


def _train(texts: ToolTexts, tools: NDArray[np.int64], seed: int) -> tuple[Floats, Floats]:
    import torch
    from torch import nn

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
    from torch import nn

    changed = vectors + nn.functional.dropout(vectors, DROPOUT) @ first @ second
    return nn.functional.normalize(changed, dim=-1)


@dataclass
class HeldOut:
    """Collect what maps do on tools that they were not trained on."""

    best_fitting: list[float] = field(default_factory=list)
    best_foreign: list[float] = field(default_factory=list)
    ranks_before: list[int] = field(default_factory=list)
    ranks_after: list[int] = field(default_factory=list)

    def measure(
        self, texts: ToolTexts, tools: NDArray[np.int64], maps: tuple[Floats, Floats], seed: int
    ) -> None:
        """Add ranks among the held-out `tools`, and the best cosine with and without the right one."""
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
        """Return slope and bias of the logistic regression of "fits" on the best cosine."""
        import torch
        from torch import nn

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
        slope, bias = line.detach().tolist()
        return slope, bias


def make_maps(tools: Sequence[dict[str, Any]], encoder: Encoder, folder: Path) -> None:
    """Train the maps on all tools, having measured maps on held-out ones, and write them to `folder`."""
    texts = ToolTexts.embed(tools, load_background(folder / BACKGROUND), encoder)
    order = np.random.default_rng(0).permutation(len(tools))
    held_out = HeldOut()
    for fold in range(FOLDS):
        seen = np.sort(np.concatenate([order[k::FOLDS] for k in range(FOLDS) if k != fold]))
        held_out.measure(texts, np.sort(order[fold::FOLDS]), train_maps(texts, seen), fold)
    for name, ranks in (("public", held_out.ranks_before), ("mapped", held_out.ranks_after)):
        top = {k: np.mean(np.asarray(ranks) < k) for k in (1, 5)}
        print(f"{name}: top-1 {top[1]:.3f}, top-5 {top[5]:.3f} among held-out tools")  # noqa: T201
    slope, bias = held_out.fit()
    query, description = train_maps(texts, np.arange(len(tools)))
    Maps(query, description, slope, bias).save(folder / MAPS)
    print(f"{MAPS}: fit {slope:.2f} * cosine {bias:+.2f}")  # noqa: T201


def main() -> None:
    """Make what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("background", "maps"))
    parser.add_argument("--tools", type=Path, default=TOOLS_FILE)
    parser.add_argument("--languages", action="store_true", help="for the multilingual encoder")
    parser.add_argument("--out", type=Path, help="folder, by default where the shipped one is")
    arguments = parser.parse_args()
    tools = read_tools(arguments.tools)
    encoder = MultilingualEncoder() if arguments.languages else Encoder()
    folder = arguments.out or (MULTILINGUAL_DIR if arguments.languages else ARTIFACTS)
    if arguments.what == "maps":
        make_maps(tools, encoder, folder)
    else:
        build_background(tools, encoder.embed).save(folder / BACKGROUND)


if __name__ == "__main__":
    main()
