"""Name the keys in Redis.

A thread is two keys, `{prefix:thread}:h` (a hash with everything) and `{prefix:thread}:z` (a sorted set that
orders it). The braces put both in one slot of a cluster. No name is ever used as a pattern, and a prefix has
no colon, so that two threads, or two prefixes, cannot meet whatever their ids hold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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
