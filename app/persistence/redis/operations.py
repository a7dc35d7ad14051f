"""Redis calls as values, and operations as generators that yield them.

An operation knows nothing of sockets: it yields a `Call`, is sent the reply, and returns its result. The
blocking and the asyncio client drive the same generators, so that both behave alike.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from app.persistence.redis.scripts import Script

Argument = bytes | str | int | float


@dataclass(frozen=True, slots=True)
class Call:
    """A command (`words`), or a script with its keys and arguments."""

    words: tuple[Argument, ...] = ()
    script: Script | None = None
    keys: tuple[bytes, ...] = ()
    args: Sequence[Argument] = field(default_factory=tuple)

    def by_sha(self) -> tuple[Argument, ...]:
        """The command to send; for a script, the one that names it by its hash."""
        if self.script is None:
            return self.words
        return ("EVALSHA", self.script.sha, len(self.keys), *self.keys, *self.args)

    def by_text(self) -> tuple[Argument, ...]:
        """The command that sends the script itself, for a server that does not know it yet."""
        assert self.script is not None
        return ("EVAL", self.script.text, len(self.keys), *self.keys, *self.args)


T = TypeVar("T")
Operation = Generator[Call, Any, T]


def command(*words: Argument) -> Call:
    """A plain command."""
    return Call(words)
