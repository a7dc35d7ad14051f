"""Name the keys in Redis, and what a thread's keys hold, as writing, reading and removing threads need it.

A thread is two keys, `{prefix:thread}:h` (a hash with everything) and `{prefix:thread}:z` (a sorted set that
orders it); while a run has it, there is `{prefix:thread}:lock`. The braces put all of them in one slot of a
cluster. No name is ever used as a pattern, and a prefix has no colon, so that two threads, or two prefixes,
cannot meet whatever their ids hold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from langchain_core.runnables import RunnableConfig

from app.persistence.redis.codec import Codec
from app.persistence.redis.known_content import SeenThreads

DEFAULT_PREFIX = "octopus"
_PREFIX = re.compile(r"[A-Za-z0-9_.-]+\Z")


def encode_id(text: str) -> bytes:
    """Return the bytes of an id: any string, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def decode_id(data: bytes) -> str:
    """Undo `encode_id`."""
    return data.decode("utf-8", "surrogatepass")


def encode_namespace(namespace: Sequence[str]) -> bytes:
    """Return each label after its length, `2:ab1:c`: a prefix of the namespace is a prefix of the bytes."""
    return b"".join(b"%d:%s" % (len(label), label) for label in map(encode_id, namespace))


class Keys:
    """Name keys under one prefix.

    Raises:
        ValueError: the prefix has other characters than letters, digits, `_`, `.` and `-`.
    """

    def __init__(self, prefix: str) -> None:
        if not _PREFIX.match(prefix):
            raise ValueError(f"prefix {prefix!r} must be letters, digits, '_', '.' and '-'.")
        self._prefix = prefix.encode()
        self.threads = self._prefix + b":threads"
        self.store_roots = self._prefix + b":store-roots"
        self.cache_namespaces = self._prefix + b":cache-namespaces"

    def thread(self, thread_id: str) -> tuple[bytes, bytes]:
        """Return the hash and the sorted set of a thread."""
        tag = b"{" + self._prefix + b":" + encode_id(thread_id) + b"}"
        return tag + b":h", tag + b":z"

    def lock(self, thread_id: str) -> bytes:
        """Return the hash of who has a thread and who waits for it; it is in the slot of the thread."""
        return b"{" + self._prefix + b":" + encode_id(thread_id) + b"}:lock"

    def run(self, run: bytes) -> bytes:
        """Return the set of the threads that the run with this hashed id wrote to."""
        return self._prefix + b":run:" + run.hex().encode()

    def store(self, root: str) -> bytes:
        """Return the start of the store's keys under one root label; no slash follows a prefix elsewhere."""
        return b"{" + self._prefix + b"/store:" + encode_id(root) + b"}:"

    def cache(self, namespace: bytes) -> tuple[bytes, bytes]:
        """Return the hash and the sorted set of a namespace of the cache."""
        tag = b"{" + self._prefix + b"/cache:" + namespace + b"}"
        return tag + b":h", tag + b":x"


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
