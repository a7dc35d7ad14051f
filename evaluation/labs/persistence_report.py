"""Report what a conversation costs on each checkpointer: `octopus eval persistence`."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from evaluation.labs.persistence import Contender, Row, compare
from evaluation.labs.redis_server import find_binary
from evaluation.report import Report, table

_HEADINGS = (
    "saver",
    "turns",
    "checkpoints",
    "stored MB",
    "sent MB",
    "growth",
    "commands a step",
    "put CPU ms",
    "put again ms",
    "resume ms",
    "list 20 ms",
)


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


SQLITE = Contender("SqliteSaver", _sqlite, on_redis=False)
ECOSYSTEM = (
    Contender("InMemorySaver", _memory, on_redis=False, resumes=False),
    SQLITE,
    Contender("ValkeySaver", _valkey),
    Contender("plainredis", _plainredis),
)
"""ValkeySaver comes from langgraph-checkpoint-aws, plainredis from langgraph-checkpoint-plainredis."""


def evaluate_persistence(
    contenders: Sequence[Contender],
    *,
    turns: int,
    shorter: int,
    plain: bool,
    advance: Callable[[float], None],
) -> Report:
    """Measure each contender that is installed; the report names the others.

    Raises:
        ModelUnavailableError: there is no Redis server program on this machine.
    """
    binary = find_binary()
    rows, missing = [], []
    for contender in contenders:
        try:
            rows.append(compare(contender, turns, shorter, binary, plain=plain))
        except ImportError as error:
            missing.append(f"Left out: {contender.name} ({error}).")
        advance(1)
    text = "\n\n".join([table(_HEADINGS, list(map(_cells, rows))), *missing])
    return Report("persistence", text, {"rows": [asdict(row) for row in rows]})


def _cells(row: Row) -> list[str]:
    return [
        row.saver,
        f"{row.turns:,}",
        f"{row.checkpoints:,}",
        _figure(row.stored, 1e-6, 2),
        _figure(row.sent, 1e-6, 2),
        "–" if row.exponent is None else f"n^{row.exponent:.2f}",
        _figure(row.commands_per_step, 1, 1),
        _figure(row.put_cpu, 1e3, 2),
        _figure(row.put_cpu_replayed, 1e3, 2),
        _figure(row.resume, 1e3, 1),
        _figure(row.list_20, 1e3, 0),
    ]


def _figure(value: float | None, unit: float, digits: int) -> str:
    return "–" if value is None else f"{value * unit:.{digits}f}"
