"""Readers of plain numbers and of lists of them."""

from __future__ import annotations

import math

from tools.expressions import MAX_DIGITS
from tools.reading.stream import Mention, Stream, UnreadError

_SEPARATORS = frozenset({",", ";", "and", "&"})
_OPENING = {"[": "]", "(": ")", "{": "}", "<": ">"}


def literal_at(stream: Stream, index: int) -> tuple[int | float, int] | None:
    """The number with its sign that begins at a token, and the index after it; None if there is none."""
    negative = stream.lower[index] in ("-", "+") and index + 1 < len(stream) and stream.adjacent(index + 1)
    if negative and index and stream.adjacent(index) and stream.tokens[index - 1].kind in ("number", "name"):
        return None
    position = index + 1 if negative else index
    if any(stream.taken[index : position + 1]) or stream.tokens[position].kind != "number":
        return None
    text = stream.tokens[position].text
    if len(text) > MAX_DIGITS or not math.isfinite(float(text)):
        raise UnreadError(f"The number {text[:20]!r}... is out of range.")
    value = int(text) if text.isdigit() else float(text)
    return (-value if stream.lower[index] == "-" else value), position + 1


def read_numbers(stream: Stream) -> None:
    """Take every number that is left."""
    index = 0
    while index < len(stream):
        found = literal_at(stream, index)
        if found is None:
            index += 1
            continue
        stream.take("number", found[0], index, found[1])
        index = found[1]


def join_lists(stream: Stream) -> None:
    """Make lists of the numbers that stand side by side or between commas and "and"."""
    runs: list[list[Mention]] = []
    for mention in stream.mentions:
        if mention.kind != "number":
            continue
        if runs and _is_separated(stream, runs[-1][-1].end, mention.first):
            runs[-1].append(mention)
        else:
            runs.append([mention])
    lists = [run for run in runs if len(run) > 1]
    joined = {id(mention) for run in lists for mention in run}
    stream.mentions = [mention for mention in stream.mentions if id(mention) not in joined]
    for run in lists:
        _refuse_thousands(stream, run)
        stream.mentions.append(_list(stream, run))


def _is_separated(stream: Stream, end: int, first: int) -> bool:
    between = stream.lower[end:first]
    if not all(word in _SEPARATORS for word in between) or len(between) > 2:
        return False
    return bool(between) or not stream.adjacent(first)


def _refuse_thousands(stream: Stream, run: list[Mention]) -> None:
    """`1,200 300` and `1,200,300` may have a comma within a number or between two."""
    sources = [stream.source(mention.first, mention.end) for mention in run]
    if any("," in source for source in sources) and not all(
        stream.text[stream.tokens[m.first].start - 1].isspace() for m in run[1:]
    ):
        raise UnreadError(
            "The commas can stand within numbers or between them: put spaces after those between."
        )


def _list(stream: Stream, run: list[Mention]) -> Mention:
    first, end = run[0].first, run[-1].end
    stream.understand(range(first, end))
    if first and end < len(stream) and _OPENING.get(stream.lower[first - 1]) == stream.lower[end]:
        first, end = first - 1, end + 1
        stream.understand((first, end - 1))
    return Mention("list", [mention.value for mention in run], first, end)
