"""The Lua scripts. Each runs atomically on keys of one slot."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Script:
    """Source text and its SHA-1, by which Redis knows it."""

    text: str
    sha: str


def preload() -> None:
    """Read all scripts, so that no file is read later, in an event loop."""
    for name in ("put", "prune", "delete_runs"):
        load(name, "common", "collect")
    for name in ("put_writes", "read", "history", "delete", "dump", "restore"):
        load(name, "common")
    for name in ("store_get", "store_put", "cache_get", "cache_set"):
        load(name)


@cache
def load(name: str, *libraries: str) -> Script:
    """The script `name`.lua after the text of its libraries."""
    folder = files(__package__)
    text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in (*libraries, name))
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
