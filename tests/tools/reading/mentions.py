"""What a reader takes of a text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tools.reading.query import TokenizedQuery


def mentions(text: str, *readers: Callable[[TokenizedQuery], None]) -> list[tuple[str, Any]]:
    """The kind and the value of each mention, in the order of the text; it is noon on 28 February 2024."""
    query = TokenizedQuery(text, datetime(2024, 2, 28, 12, tzinfo=UTC))
    for read in readers:
        read(query)
    found = sorted(query.mentions, key=lambda mention: mention.first)
    return [(mention.kind, mention.value) for mention in found]
