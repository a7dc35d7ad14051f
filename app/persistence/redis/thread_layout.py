"""Share what writing, reading and removing threads need: settings, names, and the address of a config."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from langchain_core.runnables import RunnableConfig

from app.persistence.redis.codec import Codec
from app.persistence.redis.keys import Keys
from app.persistence.redis.known_content import SeenThreads


@dataclass(frozen=True, slots=True)
class ThreadSettings:
    """Say how threads are stored.

    Attributes:
        ttl: milliseconds after which an unused thread expires; 0 for never.
        refresh_on_read: whether reading counts as use.
        shallow: whether only the latest checkpoint of a namespace is kept.
    """

    ttl: int = 0
    refresh_on_read: bool = True
    shallow: bool = False

    @property
    def read_ttl(self) -> int:
        """Return the milliseconds to live after a read; 0 to leave it as it is."""
        return self.ttl if self.refresh_on_read else 0


class Layout:
    """Hold the settings, key names, codec and memory of one saver, and hash names as they are stored."""

    def __init__(self, settings: ThreadSettings, keys: Keys, codec: Codec, seen: SeenThreads) -> None:
        self.settings = settings
        self.keys = keys
        self.codec = codec
        self.seen = seen
        self._name = lru_cache(maxsize=8192)(codec.name)

    def with_codec(self, codec: Codec) -> Layout:
        """Return a layout of the same threads under another codec."""
        return Layout(self.settings, self.keys, codec, self.seen)

    def namespace(self, name: str | None) -> bytes:
        """Return the hashed name of a namespace; of the root's for None."""
        return self._name("namespace", name or "")

    def channel(self, name: str) -> bytes:
        """Return the hashed name of a channel."""
        return self._name("channel", name)

    def slot(self, namespace: str, channel: str, version: Any) -> bytes:
        """Return the hashed channel and the hash of its version; 1, 1.0 and "1" differ."""
        return self.channel(channel) + self._name("version", namespace, channel, repr(version))

    def run(self, run_id: str) -> bytes:
        """Return the hashed id of a run."""
        return self.codec.name("run", run_id)


@dataclass(frozen=True, slots=True)
class Address:
    """Say what a config points at; `checkpoint_id` is empty for the latest, `namespace` None for all."""

    thread_id: str
    namespace: str | None
    checkpoint_id: str

    @classmethod
    def of(cls, config: RunnableConfig, *, everywhere: bool = True) -> Address:
        """Read a config; raises ValueError if it names no thread.

        One that names no namespace points `everywhere`, or else at the one of the root.
        """
        configurable = config.get("configurable", {})
        thread_id = configurable.get("thread_id")
        if thread_id is None:
            raise ValueError("The config has no thread_id; pass {'configurable': {'thread_id': ...}}.")
        namespace = configurable.get("checkpoint_ns")
        if namespace is None and not everywhere:
            namespace = ""
        checkpoint_id = configurable.get("checkpoint_id") or ""
        return cls(str(thread_id), None if namespace is None else str(namespace), str(checkpoint_id))
