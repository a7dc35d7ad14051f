"""Readers of quoted text, numerals and their bases, Roman numerals and names of constants."""

from __future__ import annotations

import re

from tools.reading.stream import Stream
from tools.subjects.constants import ALIASES, CONSTANTS
from tools.subjects.gazetteer import fold

_QUOTED = re.compile(r"\"([^\"]*)\"|“([^”]*)”|‘([^’]*)’|«([^»]*)»|`([^`]*)`|(?<!\w)'([^']*)'(?!\w)")
_NUMERAL = re.compile(
    r"(?<![\w.,-])(0[xXbBoO][0-9A-Za-z]+|[0-9][0-9A-Fa-f]*|[A-F]{2,})(?![\w-])(?![.,][0-9])"
)
_ROMAN = re.compile(r"(?<!\w)[MDCLXVI]{1,20}(?!\w)")
_BASES = {"binary": 2, "ternary": 3, "octal": 8, "decimal": 10, "hexadecimal": 16, "hex": 16}
_LONGEST_CONSTANT = 6


def read_quoted_texts(stream: Stream) -> None:
    """Take what stands in quotes."""
    for match in _QUOTED.finditer(stream.text):
        span = stream.span(*match.span())
        if span is not None:
            stream.take("text", next(group for group in match.groups() if group is not None), *span)


def read_numerals(stream: Stream) -> None:
    """Take bases and numerals. A base directly beside the numeral is the one that it is written in."""
    bases = _bases(stream)
    numerals = []
    taken = {index for _, first, end in bases for index in range(first, end)}
    for match in _NUMERAL.finditer(stream.text):
        span = stream.span(*match.span())
        if span is not None and not taken.intersection(range(*span)):
            numerals.append((match.group(), *span))
    for digits, first, end in numerals:
        stream.take("numeral", digits, first, end)
    for value, first, end in bases:
        beside = any(_is_beside(stream, first, end, numeral[1], numeral[2]) for numeral in numerals)
        stream.take("source_base" if beside else "base", value, first, end)


def _bases(stream: Stream) -> list[tuple[int, int, int]]:
    """`binary`, `base 7`, `base-7`: the value and the tokens."""
    found = []
    for index, word in enumerate(stream.lower):
        if word in _BASES:
            found.append((_BASES[word], index, index + 1))
        elif word == "base":
            at = index + 2 if stream.lower[index + 1 : index + 2] == ["-"] else index + 1
            if at < len(stream) and stream.lower[at].isdigit():
                found.append((int(stream.lower[at]), index, at + 1))
    return found


def _is_beside(stream: Stream, first: int, end: int, numeral: int, numeral_end: int) -> bool:
    if numeral_end == first:
        return True
    return stream.lower[end:numeral] in ([], ["number"], ["numeral"], [":"]) and end <= numeral


def read_roman_numerals(stream: Stream) -> None:
    """Take words of the letters MDCLXVI in capitals; not `I`, which is a word."""
    for match in _ROMAN.finditer(stream.text):
        span = stream.span(*match.span())
        if span is not None and match.group() != "I":
            stream.take("roman", match.group(), *span)


def read_constants(stream: Stream) -> None:
    """Take the names of physical constants, the longest first."""
    index = 0
    while index < len(stream):
        found = _constant_at(stream, index)
        if found is not None:
            stream.take("constant", found[0], index, found[1])
        index = found[1] if found else index + 1


def _constant_at(stream: Stream, index: int) -> tuple[str, int] | None:
    for end in range(min(index + _LONGEST_CONSTANT, len(stream)), index, -1):
        name = fold(stream.source(index, end)).removeprefix("the ")
        name = ALIASES.get(name, name)
        if name in CONSTANTS and stream.lower[index] != "the":
            return name, end
    return None
