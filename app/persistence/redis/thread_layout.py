"""What writing, reading and removing threads share: settings, names and the place of a config."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import RunnableConfig

from app.persistence.redis.codec import Codec
from app.persistence.redis.keys import Keys
from app.persistence.redis.known_content import SeenThreads

_NAMES = 4096


@dataclass(frozen=True, slots=True)
class Settings:
    """How threads are stored.

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
        """Milliseconds to live after a read; 0 to leave it as it is."""
        return self.ttl if self.refresh_on_read else 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Settings, key names, codec and memory of one saver."""

    settings: Settings
    keys: Keys
    codec: Codec
    seen: SeenThreads
    _names: dict[tuple[str, ...], bytes] = field(default_factory=dict)
    _slots: dict[tuple[str, str, str], bytes] = field(default_factory=dict)

    def namespace(self, name: str) -> bytes:
        """Hashed name of a namespace."""
        return self._remembered("namespace", name)

    def channel(self, name: str) -> bytes:
        """Hashed name of a channel."""
        return self._remembered("channel", name)

    def _remembered(self, *parts: str) -> bytes:
        hashed = self._names.get(parts)
        if hashed is None:
            if len(self._names) > _NAMES:
                self._names.clear()
            hashed = self._names[parts] = self.codec.secrecy.name(*parts)
        return hashed

    def slot(self, namespace: str, channel: str, version: Any) -> bytes:
        """Hashed channel and hashed version of it; 1, 1.0 and "1" differ."""
        parts = (namespace, channel, repr(version))
        slot = self._slots.get(parts)
        if slot is None:
            if len(self._slots) > _NAMES:
                self._slots.clear()
            hashed = self.codec.secrecy.name("version", *parts)
            slot = self._slots[parts] = self.channel(channel) + hashed
        return slot

    def run(self, run_id: str) -> bytes:
        """Hashed id of a run."""
        return self.codec.secrecy.name("run", run_id)


@dataclass(frozen=True, slots=True)
class Place:
    """What a config points at; `checkpoint_id` is empty for the latest, `namespace` None for all."""

    thread_id: str
    namespace: str | None
    checkpoint_id: str

    @classmethod
    def of(cls, config: RunnableConfig) -> Place:
        """Read a config; raises ValueError if it names no thread."""
        configurable = config.get("configurable", {})
        thread_id = configurable.get("thread_id")
        if thread_id is None:
            raise ValueError("The config has no thread_id; pass {'configurable': {'thread_id': ...}}.")
        namespace = configurable.get("checkpoint_ns")
        checkpoint_id = configurable.get("checkpoint_id") or ""
        return cls(str(thread_id), None if namespace is None else str(namespace), str(checkpoint_id))
