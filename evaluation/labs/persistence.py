"""Measure what checkpointers cost on one conversation: bytes, commands and CPU per step, and time to resume.

One turn is a question and an answer of 500 characters each, through a graph of two nodes: four checkpoints.
Every saver stores the same conversation through LangGraph with durability "sync", one after the other, on a
server of its own. The messages are in the channel of our graphs, or in the plain one of `MessagesState`.
Bytes stored are the server's memory before and after (SQLite: the file, its log written back; in memory: the
serialized values). Bytes sent are what the server read from its sockets. CPU of a put is that of the calling
thread, once within the run, and once when the same puts are made again back to back, without the graph's work
in between. Times of resuming and listing are the best of 20, which others on the machine disturb least.
"""

from __future__ import annotations

import contextlib
import math
import random
import sqlite3
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

from evaluation.labs.redis_server import RedisServer
from graphs.state import GraphInput

CHARACTERS = 500
COUNTED_TURNS = 10
READS = 20
_REPLAYED_TURNS = 200
"""A longer recording would not fit into memory: it holds every state of the conversation."""

Open = Callable[[str], contextlib.AbstractContextManager[BaseCheckpointSaver[Any]]]


@dataclass(frozen=True)
class Contender:
    """Describe a saver to be measured.

    Attributes:
        name: in the table.
        open: a saver on a Redis url, or on the name of a file; raises ImportError where it is not installed.
        on_redis: which of the two.
        resumes: whether another saver on the same storage finds what this one kept.
    """

    name: str
    open: Open
    on_redis: bool = True
    resumes: bool = True


@dataclass(frozen=True)
class Row:
    """Hold what one saver cost on one conversation: bytes, seconds; None where a saver has no such thing."""

    saver: str
    turns: int
    checkpoints: int
    stored: int
    sent: int | None
    commands_per_step: float | None
    put_cpu: float
    put_cpu_replayed: float | None
    resume: float
    list_20: float
    exponent: float | None = None


@dataclass
class Meter:
    """Collect CPU seconds of the calling thread per saver method."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def watch(self, saver: BaseCheckpointSaver[Any]) -> None:
        """Measure `put` and `put_writes` of this instance from now on."""
        for name in ("put", "put_writes"):
            setattr(saver, name, self._measured(name, getattr(saver, name)))

    def _measured(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*args: Any, **kwargs: Any) -> Any:
            start = time.thread_time()
            try:
                return method(*args, **kwargs)
            finally:
                self.seconds[name].append(time.thread_time() - start)

        return measured


def text(rng: random.Random) -> str:
    """Return words that do not repeat."""
    words: list[str] = []
    while sum(map(len, words)) + len(words) < CHARACTERS:
        words.append(f"{rng.getrandbits(32):x}")
    return " ".join(words)[:CHARACTERS]


def talk(
    saver: BaseCheckpointSaver[Any], turns: int, thread_id: str = "conversation", *, plain: bool = False
) -> None:
    """Hold the conversation on `saver`; `plain` keeps the messages in the channel of `MessagesState`."""
    rng = random.Random(7)  # noqa: S311
    graph = _graph(saver, rng, plain)
    for _ in range(turns):
        question: Any = {"messages": [("user", text(rng))]}
        graph.invoke(question, {"configurable": {"thread_id": thread_id}}, durability="sync")


def _graph(
    saver: BaseCheckpointSaver[Any], rng: random.Random, plain: bool
) -> CompiledStateGraph[Any, None, Any, Any]:
    state: Any = MessagesState if plain else GraphInput
    builder: StateGraph[Any, None, Any, Any] = StateGraph(state)
    builder.add_node("route", lambda state: {})
    # With an id, as models give it; else LangGraph gives one while the saver may be encoding the message.
    builder.add_node("answer", lambda state: {"messages": [AIMessage(text(rng), id=_identity(rng))]})
    builder.add_edge(START, "route")
    builder.add_edge("route", "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=saver)


def _identity(rng: random.Random) -> str:
    return f"run-{rng.getrandbits(128):032x}"


@dataclass(frozen=True)
class _Place:
    """Keep the checkpoints of a contender on a fresh server, or in a fresh folder."""

    contender: Contender
    folder: Path
    server: RedisServer | None

    @contextlib.contextmanager
    def saver(self) -> Iterator[BaseCheckpointSaver[Any]]:
        with self.contender.open(self.server.url if self.server else str(self.folder / "file")) as saver:
            yield saver

    def stored(self, saver: Any) -> int:
        if self.server:
            return self.server.info("used_memory")
        if isinstance(connection := getattr(saver, "conn", None), sqlite3.Connection):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return sum(path.stat().st_size for path in self.folder.iterdir()) or _in_memory_bytes(saver)

    def received(self) -> int | None:
        return self.server.info("total_net_input_bytes") if self.server else None


@contextlib.contextmanager
def _fresh_place(contender: Contender, binary: str) -> Iterator[_Place]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(RedisServer(binary).running()) if contender.on_redis else None
        yield _Place(contender, folder, server)


def compare(contender: Contender, turns: int, shorter: int, binary: str, *, plain: bool = False) -> Row:
    """Measure at `turns`, with the exponent by which stored bytes grew from `shorter` turns.

    Raises:
        ImportError: the contender is not installed.
    """
    row = measure(contender, turns, binary, plain=plain)
    other = measure(contender, shorter, binary, plain=plain)
    if row.stored <= 0 or other.stored <= 0:
        return row  # too short: the server's own memory moves more than the conversation takes
    return replace(row, exponent=math.log(row.stored / other.stored) / math.log(turns / shorter))


def measure(contender: Contender, turns: int, binary: str, *, plain: bool = False) -> Row:
    """Hold a conversation of `turns` on one saver, on a server program `binary` where it needs one."""
    with _fresh_place(contender, binary) as place, place.saver() as saver:
        talk(saver, 1, "warm-up", plain=plain)  # connections, scripts and tables that every server has
        meter = Meter()
        meter.watch(saver)
        stored, received = place.stored(saver), place.received()
        talk(saver, turns, plain=plain)
        sent = None if received is None else (place.received() or 0) - received
        # Files are of one size before anything is in them; only a server's own memory is left out.
        stored = place.stored(saver) - (stored if place.server else 0)
        puts = meter.seconds["put"][:]
        resume, listed = _read(place, saver, plain)
        return Row(
            saver=contender.name,
            turns=turns,
            checkpoints=len(puts),
            stored=stored,
            sent=sent,
            commands_per_step=_commands(place, saver, plain),
            put_cpu=statistics.mean(puts),
            put_cpu_replayed=_replay(contender, turns, binary, plain) if turns <= _REPLAYED_TURNS else None,
            resume=resume,
            list_20=listed,
        )


def _read(place: _Place, saver: BaseCheckpointSaver[Any], plain: bool) -> tuple[float, float]:
    """Return the seconds of reading the state and of listing 20 checkpoints."""
    with contextlib.ExitStack() as stack:
        if place.contender.resumes:  # a new saver knows nothing: this is a process that resumes
            saver = stack.enter_context(place.saver())
        graph = _graph(saver, random.Random(), plain)  # noqa: S311
        config: Any = {"configurable": {"thread_id": "conversation", "checkpoint_ns": ""}}
        return _best(lambda: graph.get_state(config)), _best(lambda: list(saver.list(config, limit=20)))


def _commands(place: _Place, saver: BaseCheckpointSaver[Any], plain: bool) -> float | None:
    if place.server is None:
        return None
    total = place.server.count_commands(lambda: talk(saver, COUNTED_TURNS, "counted", plain=plain))
    return total / (4 * COUNTED_TURNS)


def _replay(contender: Contender, turns: int, binary: str, plain: bool) -> float:
    """Return the mean CPU seconds of the puts of the conversation, made again on an empty saver."""
    puts = _recorded_puts(turns, plain)
    with _fresh_place(contender, binary) as place, place.saver() as saver:
        talk(saver, 1, "warm-up", plain=plain)
        start = time.thread_time()
        for args in puts:
            saver.put(*args)
        return (time.thread_time() - start) / len(puts)


def _recorded_puts(turns: int, plain: bool) -> list[tuple[Any, ...]]:
    puts: list[tuple[Any, ...]] = []
    recorder = InMemorySaver()
    original = recorder.put

    def recorded(*args: Any) -> Any:
        puts.append(args)
        return original(*args)

    recorder.put = recorded  # type: ignore[method-assign, assignment]
    talk(recorder, turns, plain=plain)
    return puts


def _in_memory_bytes(saver: Any) -> int:
    blobs = sum(len(data) for _, data in saver.blobs.values())
    rows = (row for spaces in saver.storage.values() for rows in spaces.values() for row in rows.values())
    checkpoints = sum(len(row[0][1]) + len(row[1][1]) for row in rows)
    writes = sum(len(write[2][1]) for batch in saver.writes.values() for write in batch.values())
    return blobs + checkpoints + writes


def _best(action: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(READS):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
