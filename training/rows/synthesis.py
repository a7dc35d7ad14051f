"""Make router rows with a chat model from the workers' docstrings, in Self-Instruct's four steps.

Source: Wang et al. 2022, arXiv 2212.10560; the Octopus papers make their rows the same way (2404.01744,
2404.19296).

1. Generate: queries to a worker, from its docstring, its examples and some of the rows kept so far. The style
   and the language vary, and the temperature rises from round to round.
2. Identify: the worker that each query is for, or none; the model is not told for whom it was written.
3. Instance: the query in the worker's register, which is what a causal Octopus learns to write.
4. Filter: drop queries that are unreadable, too short or too long, not text, near duplicates, leaks of
   evaluation rows, sorted to another worker, or not routed to the worker by the current router (round trip).
   A rewrite that loses a number, name, negation or quotation is replaced by the query itself.

Every batch is written to disk before the next begins. After a kill, the same command continues there and
makes the same rows.
"""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from agents.errors import InputError
from agents.fidelity import lost
from agents.octopus.conversation.human_turns import clean_query
from agents.types import Decision
from training.rows.filters import Leaks, NearDuplicates
from training.rows.synthesis_log import Synthesis, finish, resume
from training.rows.synthesis_prompts import (
    NONE,
    STYLES,
    Messages,
    read_list,
    rewrite_queries,
    sort_queries,
    write_negatives,
    write_queries,
)

_SHOWN = 4  # examples in a prompt; up to half of them are kept rows
_LENGTHS = (8, 2000)  # characters of a query
_SURE = 0.9  # a query that the router sends somewhere with this probability is no negative


@dataclass(frozen=True, slots=True)
class ChatReply:
    """Hold a reply and the tokens that it cost."""

    text: str
    read: int
    written: int


class Chat(Protocol):
    """Describe a chat model."""

    def __call__(self, messages: Messages, temperature: float, seed: int) -> Awaitable[ChatReply]:
        """Return the reply.

        Raises:
            ModelUnavailableError: no model can be reached.
        """
        ...


RoundTrip = Callable[[Sequence[str]], list[Decision]]
"""Return what the current router decides for each query."""


@dataclass(frozen=True)
class SynthesisSettings:
    """Set what to make.

    Attributes:
        per_worker: rows to keep for each worker, and for queries that no worker fits.
        rounds: upper limit of batches for a worker.
        batch: queries in a batch.
        languages: one after the other, a round each.
        coldest, hottest: temperature of the first and the last round.
        round_trip: the worker must be among this many of the router's best choices; 0 skips the check.
        price: dollars for a million tokens, read and written.
        seed: for examples, styles and the model's sampling.
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
    """Make rows; write batches.jsonl to `out` batch by batch, then rows.jsonl and, last, synthesis.json.

    Args:
        workers: description and examples by name.
        chat: the model that writes.
        out: the folder; a run that was killed there continues.
        settings: what to make.
        round_trip: the current router.
        leaks: texts that may not be among the rows.
        advance: called with the number of rows that each batch added.

    Raises:
        InputError: `out` belongs to a run with other settings, or a worker is called "none".
    """
    if NONE in workers:
        raise InputError(f"no worker may be called {NONE!r} when rows are made.")
    done = resume(out, json.loads(json.dumps({"workers": workers, **asdict(settings)})))
    made, seen = Synthesis(), NearDuplicates()
    for text in (example for _, examples in workers.values() for example in examples):
        seen.add(text)
    # Round by round, so that a run that is cut short is balanced.
    order = [(node, number) for number in range(settings.rounds) for node in (*workers, NONE)]
    for place, (node, number) in enumerate(order):
        batch = done.get(place)
        if batch is None:
            if made.kept(node) >= settings.per_worker:
                continue
            work = _Batch(workers, node, number, chat, settings, round_trip, leaks or Leaks(()))
            batch = {"batch": place, **await work.make(made, seen)}
            with (out / "batches.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(batch, ensure_ascii=False) + "\n")
        for row in batch["rows"]:
            seen.add(row["query"])
        made.add(batch)
        advance(len(batch["rows"]))
    finish(made, out, settings.price)
    return made


@dataclass
class _Batch:
    """Make one batch for one node, in the four steps."""

    workers: Mapping[str, tuple[str, Sequence[str]]]
    node: str
    number: int  # of the round
    chat: Chat
    settings: SynthesisSettings
    round_trip: RoundTrip
    leaks: Leaks
    result: Synthesis = field(default_factory=Synthesis)

    async def make(self, made: Synthesis, seen: NearDuplicates) -> dict[str, Any]:
        """Return the batch in the form in which it is logged."""
        settings, counts = self.settings, self.result.counts
        rng = random.Random(f"{settings.seed}:{self.node}:{self.number}")  # noqa: S311 - choices
        share = self.number / max(1, settings.rounds - 1)
        temperature = settings.coldest + share * (settings.hottest - settings.coldest)
        style, language = rng.choice(STYLES), settings.languages[self.number % len(settings.languages)]
        asking = self._request(made, rng, style, language)
        queries = await self._ask(asking, temperature)
        counts["made"] += len(queries)
        counts["unreadable replies"] += not queries
        queries = self._usable(queries, seen)
        enough = settings.per_worker - made.kept(self.node)
        counts["dropped: enough"] += max(0, len(queries) - enough)
        queries = self._routed(await self._identified(queries[:enough]))
        about = {"style": style, "language": language, "temperature": round(temperature, 3)}
        rows = [row | about for row in await self._rewritten(queries)]
        counts["kept"] += len(rows)
        told = {name: getattr(self.result, name) for name in ("calls", "read", "written")}
        return {"node": self.node, **about, "counts": dict(counts), **told, "rows": rows}

    async def _ask(self, messages: Messages, temperature: float) -> list[str]:
        # Each call has a seed of its own, which is the same when a killed run repeats the call.
        call = f"{self.settings.seed}:{self.node}:{self.number}:{self.result.calls}"
        reply = await self.chat(messages, temperature, random.Random(call).getrandbits(31))  # noqa: S311
        self.result.calls += 1
        self.result.read += reply.read
        self.result.written += reply.written
        return read_list(reply.text)

    @property
    def _described(self) -> dict[str, str]:
        return {name: text for name, (text, _) in self.workers.items()}

    def _request(self, made: Synthesis, rng: random.Random, style: str, language: str) -> Messages:
        """Ask for queries; a worker's prompt shows its examples and some of the rows kept so far."""
        count = self.settings.batch
        if self.node == NONE:
            return write_negatives(self._described, count=count, style=style, language=language)
        description, examples = self.workers[self.node]
        own = [row["query"] for row in made.rows if row["node"] == self.node]
        kept = rng.sample(own, min(len(own), _SHOWN // 2))
        given = rng.sample(list(examples), min(len(examples), _SHOWN - len(kept)))
        return write_queries(description, [*given, *kept], count=count, style=style, language=language)

    def _usable(self, queries: Sequence[str], seen: NearDuplicates) -> list[str]:
        """Drop what is no query, has been written before, or may not be learnt."""
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
        """Keep the queries that the model sorts to the node that they were written for."""
        if not queries:
            return []
        names = await self._ask(sort_queries(self._described, queries), 0.0)
        if len(names) != len(queries):
            self.result.counts["dropped: not sorted"] += len(queries)
            return []
        own = self.node.casefold()
        found = [query for query, name in zip(queries, names, strict=True) if name.casefold() == own]
        self.result.counts["dropped: sorted elsewhere"] += len(queries) - len(found)
        return found

    def _routed(self, queries: list[str]) -> list[str]:
        """Keep what the router sends to the worker too, or, for no worker, what it is not sure about."""
        if not queries or not self.settings.round_trip:
            return queries
        decided = zip(queries, self.round_trip(queries), strict=True)
        found = [query for query, decision in decided if self._agrees(decision)]
        self.result.counts["dropped: round trip"] += len(queries) - len(found)
        return found

    def _agrees(self, decision: Decision) -> bool:
        if self.node == NONE:
            return decision.node is None or decision.probability < _SURE
        return self.node in [choice.node for choice in decision.choices[: self.settings.round_trip]]

    async def _rewritten(self, queries: list[str]) -> list[dict[str, Any]]:
        """Make rows of `queries`, each rewritten for the worker where the rewrite loses nothing."""
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
    """Tell whether `text` can be asked; JSON can spell half a character, which no file or router accepts."""
    try:
        clean_query(text)
    except InputError:
        return False
    return True
