"""Conversations whose every checkpoint can be computed, so that a lost or mixed one is noticed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from langgraph.checkpoint.base.id import uuid6

from app.persistence import RedisSaver
from app.persistence.errors import PersistenceError
from tests.app.persistence.samples import config, put


def log(name: str, length: int) -> list[str]:
    """The list after `length` steps."""
    return [f"{name}:{i}:" + "x" * 200 for i in range(length)]


def expected(name: str, length: int) -> dict[str, Any]:
    """All channels after `length` steps; the window is a list that forgets."""
    whole = log(name, length)
    return {"log": whole, "window": whole[-3:], "count": length}


@dataclass
class Conversation:
    """One writer of one thread.

    Attributes:
        acknowledged: ids of checkpoints that Redis confirmed, with their length and the time.
        refused: errors on the way.
    """

    thread: str
    name: str = "a"
    namespace: str = ""
    length: int = 0
    where: Any = None
    acknowledged: dict[str, tuple[int, float]] = field(default_factory=dict)
    writes: set[str] = field(default_factory=set)
    refused: list[PersistenceError] = field(default_factory=list)

    def step(self, saver: RedisSaver) -> None:
        """One checkpoint and its writes; raises what the saver raises, and can be called again."""
        length = self.length + 1
        identity = str(uuid6())
        values = expected(self.name, length)
        versions = {"log": f"{length}.{self.name}", "window": f"{length}.{self.name}", "count": length}
        where = self.where or config(self.thread, self.namespace)
        stored = put(saver, values, where, versions=versions, id=identity, name=self.name)
        self.where, self.length = stored, length
        self.acknowledged[identity] = (length, time.monotonic())
        saver.put_writes(stored, [("log", [log(self.name, length + 1)[-1]]), ("count", length)], "task", "~1")
        self.writes.add(identity)

    def try_step(self, saver: RedisSaver) -> bool:
        """A step; False, and the error kept, if the saver refuses."""
        try:
            self.step(saver)
        except PersistenceError as error:
            self.refused.append(error)
            return False
        return True

    def check(self, saver: RedisSaver, *, may_miss_after: float = float("inf")) -> int:
        """Assert that what was acknowledged is there and whole; returns how many are missing that may be."""
        missing = 0
        for identity, (length, when) in self.acknowledged.items():
            found = saver.get_tuple(config(self.thread, self.namespace, identity))
            if found is None:
                assert when > may_miss_after, f"{self.thread}: acknowledged checkpoint {length} is lost"
                missing += 1
                continue
            assert found.checkpoint["channel_values"] == expected(self.name, length)
            if identity in self.writes and when <= may_miss_after:
                writes = [("task", "log", [log(self.name, length + 1)[-1]]), ("task", "count", length)]
                assert found.pending_writes == writes
        for found in saver.list(config(self.thread, self.namespace)):
            name, length = found.metadata["name"], found.checkpoint["channel_values"]["count"]  # type: ignore[typeddict-item]
            assert found.checkpoint["channel_values"] == expected(name, length)
        return missing
