"""Make router rows with a chat model from the workers' docstrings: Self-Instruct's four steps.

Wang et al. 2022, arXiv 2212.10560; the Octopus papers make their rows the same way (2404.01744, 2404.19296).

1. Generate: queries to a worker, from its docstring, its examples and some of the rows kept so far; style,
   language and, round by round, a rising temperature vary them.
2. Identify: which worker each query is for, or none, asked without saying for whom it was written.
3. Instance: the query in the worker's register, which is what a causal Octopus learns to write.
4. Filter: unreadable, out of length, not text, near duplicates, leaks of evaluation rows, queries that the
   model sorts elsewhere, and those that the current router does not have among its best (round trip). A
   rewrite that loses a number, name, negation or quotation is replaced by the query itself.

Every batch is on disk before the next begins; a killed run goes on there and makes the same rows.
"""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from agents.errors import InputError
from agents.fidelity import lost
from agents.octopus.conversation.human_turns import clean_query
from agents.types import Decision
from training.rows.near_duplicates import NearDuplicates
from training.specialist.rows import Leaks
from training.specialist.synthesis_log import Synthesis, finish, resume
from training.specialist.synthesis_prompts import (
    NONE,
    STYLES,
    Messages,
    read_list,
    rewrite_queries,
    sort_queries,
    write_negatives,
    write_queries,
)

_SHOWN = 4  # examples in a prompt, as many of them kept rows as there are
_LENGTHS = (8, 2000)  # characters of a query
_SURE = 0.9  # what the router sends somewhere with this probability is no negative


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A reply and the tokens that it cost."""

    text: str
    read: int
    written: int


class Chat(Protocol):
    """A chat model."""

    def __call__(self, messages: Messages, temperature: float, seed: int) -> Awaitable[ChatReply]:
        """The reply; raises `ModelUnavailableError` where no model can be reached."""
        ...


RoundTrip = Callable[[Sequence[str]], list[Decision]]
"""Queries → what the current router decides for each."""


@dataclass(frozen=True)
class SynthesisSettings:
    """What is asked for.

    Attributes:
        per_worker: rows to keep for each worker, and of those that nobody fits.
        rounds: batches for a worker at most.
        batch: queries of a batch.
        languages: in turns.
        coldest, hottest: temperature of the first and the last round.
        round_trip: the worker must be among so many of the router's best; 0 does not ask the router.
        price: dollars for a million tokens, read and written.
        seed: of examples, styles and the model's sampling.
    """

    per_worker: int = 40
    rounds: int = 12
    batch: int = 10
    languages: tuple[str, ...] = ("English",)
    coldest: float = 0.3
    hottest: float = 1.1
    round_trip: int = 3
    price: tuple[float, float] = (0.0, 0.0)
    seed: int = 0


async def synthesize(
    workers: Mapping[str, tuple[str, Sequence[str]]],
    chat: Chat,
    out: Path,
    settings: SynthesisSettings,
    *,
    round_trip: RoundTrip,
    leaks: Leaks | None = None,
    advance: Callable[[float], None] = lambda rows: None,
) -> Synthesis:
    """Make rows; `out` gets batches.jsonl as they come, then rows.jsonl and, last, synthesis.json.

    Args:
        workers: description and examples by name.
        chat: the model that writes.
        out: the folder; a run that was killed is gone on with.
        settings: what is asked for.
        round_trip: the current router.
        leaks: what may not be among the rows.
        advance: called with the number of rows that a batch gave.

    Raises:
        InputError: `out` is of a run with other settings, or a worker is called "none".
    """
    if NONE in workers:
        raise InputError(f"a worker may not be called {NONE!r} here.")
    done = resume(out, json.loads(json.dumps({"workers": workers, **asdict(settings)})))
    made, seen = Synthesis(), NearDuplicates()
    for text in (example for _, examples in workers.values() for example in examples):
        seen.add(text)
    for number, (node, turn) in enumerate(_turns([*workers, NONE], settings)):
        batch = done.get(number)
        if batch is None:
            if made.kept(node) >= settings.per_worker:
                continue
            work = _Batch(workers, node, turn, chat, settings, round_trip, leaks or Leaks(()))
            batch = {"batch": number, **await work.make(made, seen)}
            with (out / "batches.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(batch, ensure_ascii=False) + "\n")
        for row in batch["rows"]:
            seen.add(row["query"])
        made.add(batch)
        advance(len(batch["rows"]))
    finish(made, out, settings.price)
    return made


def _turns(nodes: Sequence[str], settings: SynthesisSettings) -> Iterator[tuple[str, int]]:
    """Every node in turn, round by round, so that a run that is cut short is balanced."""
    for turn in range(settings.rounds):
        for node in nodes:
            yield node, turn


@dataclass
class _Batch:
    """One batch of one node: the four steps."""

    workers: Mapping[str, tuple[str, Sequence[str]]]
    node: str
    turn: int
    chat: Chat
    settings: SynthesisSettings
    round_trip: RoundTrip
    leaks: Leaks
    result: Synthesis = field(default_factory=Synthesis)

    async def make(self, made: Synthesis, seen: NearDuplicates) -> dict[str, Any]:
        """The batch as it is logged."""
        rng = random.Random(f"{self.settings.seed}:{self.node}:{self.turn}")  # noqa: S311 - choices
        share = self.turn / max(1, self.settings.rounds - 1)
        temperature = self.settings.coldest + share * (self.settings.hottest - self.settings.coldest)
        style, language = (
            rng.choice(STYLES),
            self.settings.languages[self.turn % len(self.settings.languages)],
        )
        queries = await self._generate(made, rng, temperature, style, language)
        queries = self._usable(queries, seen)
        enough = self.settings.per_worker - made.kept(self.node)
        self.result.counts["dropped: enough"] += max(0, len(queries) - enough)
        queries = await self._identified(queries[:enough])
        queries = self._routed(queries)
        about = {"style": style, "language": language, "temperature": round(temperature, 3)}
        rows = [row | about for row in await self._rewritten(queries)]
        self.result.counts["kept"] += len(rows)
        told = {name: getattr(self.result, name) for name in ("calls", "read", "written")}
        return {"node": self.node, **about, "counts": dict(self.result.counts), **told, "rows": rows}

    async def _ask(self, messages: Messages, temperature: float) -> list[str]:
        # A seed of its own for each call, the same when a killed run repeats it.
        call = f"{self.settings.seed}:{self.node}:{self.turn}:{self.result.calls}"
        reply = await self.chat(messages, temperature, random.Random(call).getrandbits(31))  # noqa: S311
        self.result.calls += 1
        self.result.read += reply.read
        self.result.written += reply.written
        return read_list(reply.text)

    async def _generate(
        self, made: Synthesis, rng: random.Random, temperature: float, style: str, language: str
    ) -> list[str]:
        count = self.settings.batch
        if self.node == NONE:
            described = {name: text for name, (text, _) in self.workers.items()}
            messages = write_negatives(described, count=count, style=style, language=language)
        else:
            description, examples = self.workers[self.node]
            own = [row["query"] for row in made.rows if row["node"] == self.node]
            kept = rng.sample(own, min(len(own), _SHOWN // 2))
            given = rng.sample(list(examples), min(len(examples), _SHOWN - len(kept)))
            messages = write_queries(
                description, [*given, *kept], count=count, style=style, language=language
            )
        queries = await self._ask(messages, temperature)
        self.result.counts["made"] += len(queries)
        self.result.counts["unreadable replies"] += not queries
        return queries

    def _usable(self, queries: Sequence[str], seen: NearDuplicates) -> list[str]:
        found, here = [], NearDuplicates()
        for query in queries:
            if not _LENGTHS[0] <= len(query) <= _LENGTHS[1]:
                self.result.counts["dropped: length"] += 1
            elif not _is_query(query):
                self.result.counts["dropped: not text"] += 1
            elif seen.has(query) or here.has(query):
                self.result.counts["dropped: near duplicate"] += 1
            elif self.leaks.found(query):
                self.result.counts["dropped: evaluation row"] += 1
            else:
                here.add(query)
                found.append(query)
        return found

    async def _identified(self, queries: list[str]) -> list[str]:
        if not queries:
            return []
        described = {name: text for name, (text, _) in self.workers.items()}
        names = await self._ask(sort_queries(described, queries), 0.0)
        if len(names) != len(queries):
            self.result.counts["dropped: not sorted"] += len(queries)
            return []
        found = [
            query
            for query, name in zip(queries, names, strict=True)
            if name.casefold() == self.node.casefold()
        ]
        self.result.counts["dropped: sorted elsewhere"] += len(queries) - len(found)
        return found

    def _routed(self, queries: list[str]) -> list[str]:
        """A worker must be among the router's best; of what nobody fits the router may not be sure."""
        if not queries or not self.settings.round_trip:
            return queries
        routes = zip(queries, self.round_trip(queries), strict=True)
        found = [query for query, route in routes if self._agrees(route)]
        self.result.counts["dropped: round trip"] += len(queries) - len(found)
        return found

    def _agrees(self, route: Decision) -> bool:
        if self.node == NONE:
            return route.node is None or route.probability < _SURE
        return self.node in [choice.node for choice in route.choices[: self.settings.round_trip]]

    async def _rewritten(self, queries: list[str]) -> list[dict[str, Any]]:
        if self.node == NONE:
            return [{"query": query, "node": None} for query in queries]
        if not queries:
            return []
        rewrites = await self._ask(rewrite_queries(self.workers[self.node][0], queries), 0.0)
        if len(rewrites) != len(queries):
            self.result.counts["rewrites: missing"] += len(queries)
            rewrites = queries
        rows = []
        for query, rewrite in zip(queries, rewrites, strict=True):
            faithful = _is_query(rewrite) and not lost(query, rewrite)
            self.result.counts["rewrites: unfaithful"] += not faithful
            rows.append({"query": query, "node": self.node, "rewritten": rewrite if faithful else query})
        return rows


def _is_query(text: str) -> bool:
    """Whether `text` could be asked; JSON can spell half a character, which no file and no router takes."""
    try:
        clean_query(text)
    except InputError:
        return False
    return True
