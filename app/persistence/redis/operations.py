"""Describe calls to Redis as values, and operations as generators that yield them.

An operation knows nothing of sockets: it yields a `Call`, is sent the reply, and returns its result. The
blocking and the asyncio client drive the same generators, so that both behave alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

Argument = bytes | str | int | float
T = TypeVar("T")

_LIBRARIES = {
    **dict.fromkeys(("put", "prune", "delete_runs"), ("common", "collect")),
    **dict.fromkeys(("put_writes", "read", "history", "delete", "dump", "restore"), ("common",)),
    **dict.fromkeys(("lock", "store_get", "store_put", "cache_get", "cache_set"), ()),
}
"""The scripts, each with those whose text comes before it."""


@dataclass(frozen=True, slots=True)
class Script:
    """Hold the text of a Lua script, which runs atomically on keys of one slot, and its SHA-1."""

    text: str
    sha: str


@dataclass(frozen=True, slots=True)
class Call:
    """Describe a command (`words`), or a script with its keys and arguments."""

    words: tuple[Argument, ...] = ()
    script: Script | None = None
    keys: tuple[bytes, ...] = ()
    args: Sequence[Argument] = field(default_factory=tuple)

    def by_sha(self) -> tuple[Argument, ...]:
        """Return the command to send; for a script, the one that names it by its hash."""
        if self.script is None:
            return self.words
        return ("EVALSHA", self.script.sha, len(self.keys), *self.keys, *self.args)

    def by_text(self) -> tuple[Argument, ...]:
        """Return the command that sends the script itself, for a server that does not know it yet."""
        assert self.script is not None
        return ("EVAL", self.script.text, len(self.keys), *self.keys, *self.args)


Operation = Generator[Call, Any, T]


def command(*words: Argument) -> Call:
    """Return a plain command."""
    return Call(words)


def script(name: str, keys: tuple[bytes, ...], *args: Argument) -> Call:
    """Return a call of the script `name`.lua."""
    return Call(script=_load(name), keys=keys, args=args)


def preload() -> None:
    """Read all scripts, so that no file is read later, in an event loop."""
    for name in _LIBRARIES:
        _load(name)


@cache
def _load(name: str) -> Script:
    folder = files(__package__) / "scripts"
    text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in (*_LIBRARIES[name], name))
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
