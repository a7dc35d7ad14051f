"""The phrases of a request, in order: what single steps of a plan are compared with.

Cutting too often does little harm here, for a phrase is only compared with nodes; nothing is executed for it.
"""

from __future__ import annotations

import re

_CUT = re.compile(
    r"(?<=[.!?;])\s+|[,;]\s+|\n+|\b(?:and|then|also|finally|afterwards|after that)\b", re.IGNORECASE
)
_LEAST = 2  # words of a phrase; shorter pieces say nothing by themselves
_MOST = 24


def phrases(request: str) -> list[str]:
    """The phrases of `request`, at most 24 and at least one."""
    pieces = [piece.strip(" \t,.;!?") for piece in _CUT.split(request)]
    telling = [piece for piece in pieces if len(piece.split()) >= _LEAST or len(piece) > 8]
    return telling[:_MOST] or [request]
