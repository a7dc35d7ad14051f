"""The ecosystem's savers, opened alike, to measure ours beside them."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

Open = Callable[[str], contextlib.AbstractContextManager[BaseCheckpointSaver[Any]]]


@dataclass(frozen=True)
class Contender:
    """A saver to be measured.

    Attributes:
        name: in the table.
        open: a saver on a Redis url, or on the name of a file; raises ImportError where it is not installed.
        on_redis: which of the two.
        resumes: whether another saver on the same place finds what this one kept.
    """

    name: str
    open: Open
    on_redis: bool = True
    resumes: bool = True


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


ECOSYSTEM = (
    Contender("InMemorySaver", _memory, on_redis=False, resumes=False),
    Contender("SqliteSaver", _sqlite, on_redis=False),
    Contender("ValkeySaver", _valkey),
    Contender("plainredis", _plainredis),
)
"""ValkeySaver is that of langgraph-checkpoint-aws, plainredis that of langgraph-checkpoint-plainredis."""
