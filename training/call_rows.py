"""Rows as a causal Octopus learns them: prompt, then call, as ids with labels and weights."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from agents.errors import InputError
from agents.octopus.grammar import Call, Grammar
from agents.octopus.prompt import PromptFormat
from training.rows import RouterRow

IGNORED = -100  # PyTorch's label of a position without loss
_TOGETHER = 16  # steps whose examples are drawn together
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'\"()\\-+*/^_.,:;?!äéßñçøбдйلم中文日本語"


@dataclass(frozen=True, slots=True)
class Example:
    """Ids of prompt and call; `start` is where the call, its functional token, begins.

    Attributes:
        label: place of the right token among the legal ones; -1 where the token is not to be learnt.
        weight: of the functional token.
    """

    ids: tuple[int, ...]
    start: int
    label: int
    weight: float


@dataclass(frozen=True)
class CallRows:
    """Rows of one master.

    Attributes:
        legal: ids of functional tokens; the last is `<nexa_end>`, the label of rows without a node.
        places: of each node in `legal`.
        templates: by node, for rows that do not say what their query is rewritten to.
        class_weights: by place in `legal`.
    """

    rows: Sequence[RouterRow]
    prompts: PromptFormat
    grammar: Grammar
    legal: Sequence[int]
    places: Mapping[str, int]
    templates: Mapping[str, str]
    class_weights: Sequence[float]

    def rewritten(self, row: RouterRow) -> str:
        """What the row's query becomes."""
        assert row.node is not None
        return row.rewritten or self.templates[row.node].replace("{query}", row.query)

    def example(self, row: RouterRow) -> Example:
        """A row as it is learnt."""
        if row.node is None:
            return self._example(row.query, [self.legal[-1]], len(self.legal) - 1)
        place = self.places[row.node]
        return self._example(
            row.query, self.grammar.write(Call(self.legal[place], self.rewritten(row))), place
        )

    def echo(self, row: RouterRow, query: str) -> Example:
        """The row's call around another query: copying is learnt from it, choosing is not."""
        assert row.node is not None
        rewritten = self.rewritten(row).replace(row.query, query)
        call = self.grammar.write(Call(self.legal[self.places[row.node]], rewritten))
        return self._example(query, call, -1)

    def _example(self, query: str, call: Sequence[int], label: int) -> Example:
        prompt = self.prompts.prompt(query)
        before = (*prompt.shared, *prompt.own)
        weight = 0.0 if label < 0 else self.class_weights[label]
        return Example((*before, *call), len(before), label, weight)


def class_weights(rows: Sequence[RouterRow], places: Mapping[str, int], power: float) -> list[float]:
    """Weight (mean count / count) ** power of each class, mean 1 over rows; 0 is no weighting, 1 balances."""
    counts = Counter(len(places) if row.node is None else places[row.node] for row in rows)
    mean = len(rows) / len(counts)
    raw = [(mean / counts[k]) ** power if counts[k] else 1.0 for k in range(len(places) + 1)]
    scale = len(rows) / sum(raw[k] * counts[k] for k in counts)
    return [weight * scale for weight in raw]


@dataclass
class Sampler:
    """Batches by step: the same for the same seed, whatever came before.

    Examples are drawn for several steps together and batched by length, so that little of a batch is padding.

    Attributes:
        echoes: the share of examples that only teach copying; they hold random words and strings.
        longest: examples with more ids are left out.
    """

    data: CallRows
    batch: int
    seed: str
    echoes: float = 0.0
    longest: int = 512
    _drawn: tuple[int, list[list[Example]]] = (-1, [])

    def examples(self, step: int) -> list[Example]:
        """The examples of one step.

        Raises:
            InputError: nearly all rows are too long.
        """
        group, place = divmod(step, _TOGETHER)
        if self._drawn[0] != group:
            self._drawn = (group, self._draw(random.Random(f"{self.seed}:{group}")))  # noqa: S311 - order
        return self._drawn[1][place]

    def _draw(self, rng: random.Random) -> list[list[Example]]:
        found: list[Example] = []
        for _ in range(50 * self.batch * _TOGETHER):
            row = rng.choice(self.data.rows)
            echoes = rng.random() < self.echoes and row.node is not None
            example = self.data.echo(row, self._noise(rng)) if echoes else self.data.example(row)
            if len(example.ids) <= self.longest:
                found.append(example)
            if len(found) == self.batch * _TOGETHER:
                found.sort(key=lambda own: len(own.ids))
                batches = [found[k : k + self.batch] for k in range(0, len(found), self.batch)]
                rng.shuffle(batches)
                return batches
        raise InputError(f"hardly any row has {self.longest} tokens or fewer.", hint="Raise --longest.")

    def _noise(self, rng: random.Random) -> str:
        """Words out of place, and strings that are no words."""
        words = [
            rng.choice(rng.choice(self.data.rows).query.split() or ["?"])
            if rng.random() < 0.6
            else "".join(rng.choices(_LETTERS, k=rng.randint(1, 6)))
            for _ in range(rng.randint(1, 12))
        ]
        return " ".join(words)


def collate(examples: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids and labels [n, length], right-padded, and the position [n] whose output is the choice."""
    longest = max(len(example.ids) for example in examples)
    ids = torch.zeros(len(examples), longest, dtype=torch.long)
    labels = torch.full_like(ids, IGNORED)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        labels[row, example.start + 1 : len(example.ids)] = torch.tensor(example.ids[example.start + 1 :])
    return ids, labels, torch.tensor([example.start - 1 for example in examples])
