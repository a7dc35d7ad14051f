r"""A call as text, `('rewritten query')`: within the quotes `\` and `'` are escaped; a bare `'` is itself."""

from __future__ import annotations

import re

from agents.errors import RoutingError

_OPEN, _CLOSE = "('", "')"
_ESCAPED = re.compile(r"\\([\\'])")
_FUNCTIONAL = re.compile(r"<nexa_(?:\d+|end)>")


class MalformedCallError(RoutingError):
    """What an Octopus wrote is not a call."""


def write_call(query: str) -> str:
    """`query` as an argument."""
    escaped = query.replace("\\", "\\\\").replace("'", "\\'")
    return f"{_OPEN}{escaped}{_CLOSE}"


def read_call(text: str) -> str:
    """The argument of a call, without its functional tokens.

    Raises:
        MalformedCallError: it is not quoted, empty, or holds another functional token.
    """
    inside = text.strip()
    if found := _FUNCTIONAL.search(inside):
        raise MalformedCallError(f"the Octopus wrote {found[0]!r} within a call.")
    if len(inside) < len(_OPEN + _CLOSE) or not (inside.startswith(_OPEN) and inside.endswith(_CLOSE)):
        raise MalformedCallError(f"the Octopus wrote {inside[:40]!r}, not {_OPEN}…{_CLOSE}.")
    query = _ESCAPED.sub(lambda match: match[1], inside[len(_OPEN) : -len(_CLOSE)])
    if not query.strip():
        raise MalformedCallError("the Octopus wrote an empty query.")
    return query
