"""Turn rows into what a causal Octopus learns: prompt, then call, as ids with labels and weights."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from agents.errors import InputError
from agents.octopus.causal.grammar import CLOSE, OPEN, Call, Grammar, escape
from agents.octopus.causal.prompt import PromptFormat
from agents.octopus.tokens import END_TOKEN
from agents.types import Edge, FunctionalToken, NodeName
from training.rows.labelled_rows import RouterRow

IGNORED = -100  # PyTorch's label of a position without loss
_TOGETHER = 16  # steps whose examples are drawn together
_EARLY = 0.4  # share of the steps that are for echoes alone


@dataclass(frozen=True)
class Master:
    """Describe the node that is trained.

    Attributes:
        name: of the node.
        edges: by neighbour; their templates serve where a row does not say what its query becomes.
        graph, spec_hash: of the spec.
    """

    name: NodeName
    edges: Mapping[NodeName, Edge]
    graph: str
    spec_hash: str

    @property
    def neighbours(self) -> dict[NodeName, FunctionalToken]:
        """Return the functional token of each neighbour."""
        return {node: edge.token for node, edge in self.edges.items()}


@dataclass(frozen=True, slots=True)
class CallExample:
    """Hold the ids of prompt and call; the call begins at `start`, with its functional token.

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
    """Hold the rows of one master, and turn them into examples.

    Attributes:
        legal: ids of functional tokens; the last is `<nexa_end>`, the label of rows without a node.
        places: place of each node in `legal`.
        edges: by node, for rows that do not say what their query is rewritten to.
        class_weights: by place in `legal`.
    """

    rows: Sequence[RouterRow]
    prompts: PromptFormat
    grammar: Grammar
    legal: Sequence[int]
    places: Mapping[str, int]
    edges: Mapping[NodeName, Edge]
    class_weights: Sequence[float]

    @classmethod
    def of(
        cls, rows: Sequence[RouterRow], prompts: PromptFormat, master: Master, *, balance: float
    ) -> CallRows:
        """Look up the ids of the master's tokens, and weigh its classes.

        Raises:
            InputError: the base lacks one of the tokens.
        """
        tokenizer, legal = prompts.tokenizer, list[int]()
        for token in (*master.neighbours.values(), END_TOKEN):
            if (own := tokenizer.token_id(token)) is None:
                raise InputError(
                    f"the base has no token {token}.", hint="Make a base with more --slots in another folder."
                )
            legal.append(own)
        places = {str(node): place for place, node in enumerate(master.neighbours)}
        weights = class_weights(rows, places, balance)
        return cls(rows, prompts, Grammar(tokenizer, legal[-1]), legal, places, master.edges, weights)

    def rewritten(self, row: RouterRow) -> str:
        """Return what the row's query becomes."""
        assert row.node is not None
        return row.rewritten or self.edges[NodeName(row.node)].query(row.query)

    def example(self, row: RouterRow) -> CallExample:
        """Make the example that teaches the row."""
        if row.node is None:
            return self._example(row, [self.legal[-1]], len(self.legal) - 1)
        place = self.places[row.node]
        return self._example(row, self.grammar.write(Call(self.legal[place], self.rewritten(row))), place)

    def echo(self, row: RouterRow, ids: Sequence[int], *, around: bool) -> CallExample:
        """Make the row's call with other ids than its query's, which teaches to copy but not to choose.

        Args:
            row: the row whose call it is.
            ids: what is copied.
            around: whether the text around the query stays; a query that is rephrased has none.
        """
        assert row.node is not None
        whole = self.rewritten(row)
        head, _, tail = whole.partition(row.query) if around and row.query in whole else ("", "", "")
        encode = self.grammar.tokenizer.user_ids
        inside = [*encode(OPEN + escape(head)), *ids, *encode(escape(tail) + CLOSE)]
        prompt = self.prompts.prompt("")
        before = (*prompt.shared, *ids, *prompt.after)
        call = (self.legal[self.places[row.node]], *inside, self.grammar.end)
        return CallExample((*before, *call), len(before), -1, 0.0)

    def thinned(self, row: RouterRow, rng: random.Random) -> RouterRow:
        """Drop some of the row's words, so that no template is learnt by heart.

        A row whose query is rephrased stays whole, because its words do not occur in what it becomes.
        """
        lost = rng.uniform(0, 0.6)
        kept = [word for word in row.query.split(" ") if rng.random() > lost]
        query = " ".join(kept)
        if not query.strip() or row.node is None or row.query not in self.rewritten(row):
            return row
        rewritten = self.rewritten(row).replace(row.query, query)
        return row.model_copy(update={"query": query, "rewritten": rewritten})

    def _example(self, row: RouterRow, call: Sequence[int], label: int) -> CallExample:
        prompt = self.prompts.prompt(row.query)
        before = (*prompt.shared, *prompt.own)
        return CallExample((*before, *call), len(before), label, self.class_weights[label] * row.weight)


def class_weights(rows: Sequence[RouterRow], places: Mapping[str, int], power: float) -> list[float]:
    """Weigh each class by (mean count / count) ** power, mean 1 over rows; power 0 is even, 1 balances."""
    counts = Counter(len(places) if row.node is None else places[row.node] for row in rows)
    mean = len(rows) / len(counts)
    raw = [(mean / counts[k]) ** power if counts[k] else 1.0 for k in range(len(places) + 1)]
    scale = len(rows) / sum(raw[k] * counts[k] for k in counts)
    return [weight * scale for weight in raw]


@dataclass
class Sampler:
    """Draw the batch of each step: the same for the same seed, whatever came before.

    Examples are drawn for several steps together and batched by length, so that little of a batch is padding.

    Attributes:
        steps: of the phase.
        copying: whether the model must learn to copy first. If so, early steps are echoes, which grow longer;
            later some examples are still echoes or lose words.
        longest: examples with more ids are left out.
    """

    data: CallRows
    batch: int
    seed: str
    steps: int
    copying: bool = False
    longest: int = 512
    _drawn: tuple[int, list[list[CallExample]]] = (-1, [])

    def examples(self, step: int) -> list[CallExample]:
        """Return the examples of one step.

        Raises:
            InputError: nearly all rows are too long.
        """
        group, place = divmod(step, _TOGETHER)
        if self._drawn[0] != group:
            rng = random.Random(f"{self.seed}:{group}")  # noqa: S311 - order
            self._drawn = (group, self._draw(rng, group * _TOGETHER / self.steps))
        return self._drawn[1][place]

    def _draw(self, rng: random.Random, done: float) -> list[list[CallExample]]:
        found: list[CallExample] = []
        for _ in range(50 * self.batch * _TOGETHER):
            example = self._one(rng.choice(self.data.rows), rng, done)
            if len(example.ids) <= self.longest:
                found.append(example)
            if len(found) == self.batch * _TOGETHER:
                found.sort(key=lambda own: len(own.ids))
                batches = [found[k : k + self.batch] for k in range(0, len(found), self.batch)]
                rng.shuffle(batches)
                return batches
        raise InputError(f"hardly any row has {self.longest} tokens or fewer.", hint="Shorten the rows.")

    def _one(self, row: RouterRow, rng: random.Random, done: float) -> CallExample:
        if not self.copying or row.node is None:
            return self.data.example(row)
        early, kind = done < _EARLY, rng.random()
        if early or kind < 0.3:
            longest = 4 + int(14 * done / _EARLY) if early else 40
            noise = self._noise(rng, rng.randint(3, longest), repeats=not early)
            return self.data.echo(row, noise, around=not early)
        return self.data.example(self.data.thinned(row, rng) if kind < 0.65 else row)

    def _noise(self, rng: random.Random, length: int, *, repeats: bool) -> list[int]:
        """Draw random ids and, if they may repeat, runs of few tokens and words out of place."""
        tokenizer, found = self.data.grammar.tokenizer, list[int]()
        while len(found) < length:
            kind, run = rng.random(), rng.randint(1, 12)
            if kind < 0.2 and repeats:
                words = rng.choice(self.data.rows).query.split()
                found += tokenizer.user_ids(" " + " ".join(rng.sample(words, min(len(words), 3))))
            else:
                few = rng.sample(self._ordinary, 6) if kind < 0.35 and repeats else self._ordinary
                found += rng.choices(few, k=run)
        return found[:length]

    @cached_property
    def _ordinary(self) -> list[int]:
        tokenizer = self.data.grammar.tokenizer
        return sorted(set(range(tokenizer.control.get_vocab_size())) - tokenizer.special)


def collate(examples: Sequence[CallExample]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return ids and labels [n, length], right-padded, and the position [n] whose output is the choice."""
    longest = max(len(example.ids) for example in examples)
    ids = torch.zeros(len(examples), longest, dtype=torch.long)
    labels = torch.full_like(ids, IGNORED)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        labels[row, example.start + 1 : len(example.ids)] = torch.tensor(example.ids[example.start + 1 :])
    return ids, labels, torch.tensor([example.start - 1 for example in examples])
