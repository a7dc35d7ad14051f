r"""A call as text, `('rewritten query')`: within the quotes `\` and `'` are escaped; a bare `'` is itself."""

from __future__ import annotations

import re
from typing import Literal

from agents.errors import RoutingError

OPEN, CLOSE = "('", "')"
Fault = Literal["no token", "illegal token", "two tokens", "no end", "no quotes", "not text", "empty rewrite"]
_ESCAPE = re.compile(r"[\\']")
_ESCAPED = re.compile(r"\\([\\'])")
_FUNCTIONAL = re.compile(r"<nexa_(?:\d+|end)>")


class MalformedCallError(RoutingError):
    """What an Octopus wrote is not a call; `fault` says in two words why not."""

    def __init__(self, message: str, fault: Fault) -> None:
        super().__init__(message)
        self.fault = fault


def write_call(query: str) -> str:
    """`query` as an argument."""
    return OPEN + escape(query) + CLOSE


def read_call(text: str) -> str:
    """The argument of a call that a server returned as text, without the functional tokens around it.

    Raises:
        MalformedCallError: see `read_argument`, or it holds another functional token.
    """
    inside = text.strip()
    if found := _FUNCTIONAL.search(inside):
        raise MalformedCallError(f"the Octopus wrote {found[0]!r} within a call.", "two tokens")
    return read_argument(inside)


def read_argument(text: str) -> str:
    """What `write_call` was given.

    Raises:
        MalformedCallError: it is not quoted, or empty.
    """
    if len(text) < len(OPEN + CLOSE) or not (text.startswith(OPEN) and text.endswith(CLOSE)):
        raise MalformedCallError(f"the Octopus wrote {text[:40]!r}, not {OPEN}…{CLOSE}.", "no quotes")
    query = unescape(text[len(OPEN) : -len(CLOSE)])
    if not query.strip():
        raise MalformedCallError("the Octopus wrote an empty query.", "empty rewrite")
    return query


def escape(text: str) -> str:
    r"""`\` → `\\` and `'` → `\'`."""
    return _ESCAPE.sub(lambda match: "\\" + match[0], text)


def unescape(text: str) -> str:
    """What `escape` was given; a backslash before anything else stays."""
    return _ESCAPED.sub(lambda match: match[1], text)
