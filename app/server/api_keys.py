"""Read API keys: kept as hashes, each with a name that owns threads, and scopes."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from agents.errors import InputError

Scope = Literal["chat", "threads", "metrics"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
DEFAULT_SCOPES: tuple[Scope, ...] = ("chat", "threads")

_ENTRY = re.compile(r"(?P<name>[A-Za-z0-9_.-]{1,64}):(?P<hash>[0-9a-f]{64})(?::(?P<scopes>[a-z+]+))?")
_FORM = "Write NAME:SHA256 or NAME:SHA256:SCOPE+SCOPE; `octopus serve --new-key NAME` makes one."


@dataclass(frozen=True, slots=True)
class Caller:
    """Describe the sender of a request.

    Attributes:
        name: the name of the key; "" is the person at this machine, where no keys are set.
        scopes: what the key may do.
    """

    name: str
    scopes: frozenset[Scope]

    def stored(self, thread: str) -> str:
        """Return the id under which a thread of this caller is kept: no other caller can write it."""
        return self.prefix + thread

    @property
    def prefix(self) -> str:
        """Return the prefix of the ids of all threads of this caller."""
        return f"{self.name}/" if self.name else ""


LOCAL = Caller("", frozenset(SCOPES))
"""The person at this machine, who also owns the threads of `octopus ask` and `octopus chat`."""


def read_keys(text: str) -> Mapping[str, Caller]:
    """Read callers by hash from entries `NAME:SHA256[:SCOPE+SCOPE]` between spaces or commas; # is a comment.

    Raises:
        InputError: an entry has another form, a scope is unknown, or a hash occurs twice.
    """
    found: dict[str, Caller] = {}
    entries = re.split(r"[\s,]+", re.sub(r"#.*", "", text))
    for number, entry in enumerate(filter(None, entries), 1):
        match = _ENTRY.fullmatch(entry)
        if not match:
            # The entry itself is not shown: somebody may have put the key there.
            raise InputError(f"entry {number} of the API keys is not understood.", hint=_FORM)
        scopes = match["scopes"].split("+") if match["scopes"] else DEFAULT_SCOPES
        for scope in scopes:
            if scope not in SCOPES:
                raise InputError(
                    f"key {match['name']!r} has an unknown scope {scope!r}.",
                    hint=f"Scopes: {', '.join(SCOPES)}.",
                )
        if match["hash"] in found:
            raise InputError(f"key {match['name']!r} stands twice.", hint=_FORM)
        found[match["hash"]] = Caller(match["name"], frozenset(scopes))  # type: ignore[arg-type]
    return found


def key_hash(key: str) -> str:
    """Return the SHA-256 in hex; enough for keys of 256 random bits, which no dictionary holds."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def new_key(name: str) -> tuple[str, str]:
    """Make a fresh key for the client, and its entry for the server.

    Raises:
        InputError: the name cannot stand in an entry.
    """
    key = f"octopus-{secrets.token_urlsafe(32)}"
    entry = f"{name}:{key_hash(key)}"
    if not _ENTRY.fullmatch(entry):
        raise InputError(
            f"{name!r} cannot name a key.", hint="Use up to 64 letters, digits, '_', '.' and '-'."
        )
    return key, entry
