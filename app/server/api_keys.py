"""Read API keys, kept as hashes, each with a name and scopes; what a name owns is nobody else's.

A caller has threads under ids of its own, and a part of the store: what one's runs learnt is in nobody else's
prompt.
"""

from __future__ import annotations

import copy
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchOp,
)

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


def owner_label(caller: Caller) -> str:
    """Return the caller as a label of a namespace: the store refuses periods, and no name has a "~"."""
    return (caller.name or "~local").replace(".", "~")


class OwnedStore(BaseStore):
    """Show the namespaces of `store` that begin with `owner`, and no others.

    Args:
        store: shared by all callers.
        owner: the first label of every namespace.
    """

    def __init__(self, store: BaseStore, owner: str) -> None:
        self._store = store
        self._owner = owner

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run the operations on the owner's part of the store."""
        asked = list(ops)
        return [self._outside(r) for r in self._store.batch([self._inside(op) for op in asked])]

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run the operations on the owner's part of the store."""
        asked = list(ops)
        return [self._outside(r) for r in await self._store.abatch([self._inside(op) for op in asked])]

    def _inside(self, op: Op) -> Op:
        match op:
            case GetOp() | PutOp():
                return op._replace(namespace=(self._owner, *op.namespace))
            case SearchOp():
                return op._replace(namespace_prefix=(self._owner, *op.namespace_prefix))
            case ListNamespacesOp():
                return self._listing(op)
        raise TypeError(f"a store has no operation {type(op).__name__}.")

    def _listing(self, op: ListNamespacesOp) -> ListNamespacesOp:
        given = op.match_conditions or ()
        prefixes = [c.path for c in given if c.match_type == "prefix"] or [()]
        own = [MatchCondition("prefix", (self._owner, *path)) for path in prefixes]
        rest = [c for c in given if c.match_type != "prefix"]
        depth = None if op.max_depth is None else op.max_depth + 1
        return op._replace(match_conditions=(*own, *rest), max_depth=depth)

    def _outside(self, result: Any) -> Any:
        if isinstance(result, Item):  # a SearchItem too
            return self._shown(result)
        if isinstance(result, list):
            return [r[1:] if isinstance(r, tuple) else self._shown(r) for r in result]
        return result

    @staticmethod
    def _shown(item: Item) -> Item:
        shown = copy.copy(item)
        shown.namespace = item.namespace[1:]
        return shown
