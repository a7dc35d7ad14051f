"""Numbers in words, "two million", "twenty-five", "1.5 million", as number tokens."""

from __future__ import annotations

from decimal import Decimal

from tools.lexer import Token
from tools.reading.stream import Stream

_UNITS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "k": 10**3}
_DIGITS_SCALES = _SCALES | {"hundred": 100, "m": 10**6, "bn": 10**9}


def respell_numbers(stream: Stream) -> None:
    """Put one number token in the place of every number in words or digits with a scale word."""
    index = 0
    while index < len(stream):
        value, end = _digits_with_scale(stream, index) or _words(stream, index)
        if value is not None:
            first, last = stream.tokens[index], stream.tokens[end - 1]
            stream.replace(index, end, [Token("number", str(value), first.start, last.end)])
        index += 1


def _digits_with_scale(stream: Stream, index: int) -> tuple[Decimal | int, int] | None:
    """`1.5 million`, `250k`."""
    token, end = stream.tokens[index], index + 1
    if token.kind != "number" or end >= len(stream):
        return None
    scale = stream.lower[end]
    written_apart = scale in _SCALES and scale != "k"
    if not (written_apart or (scale == "k" and stream.adjacent(end)) or scale == "hundred"):
        return None
    value = Decimal(token.text) * _DIGITS_SCALES[scale]
    return (int(value) if value == value.to_integral_value() else value), end + 1


def _words(stream: Stream, index: int) -> tuple[int | None, int]:
    """A number in words that begins here: its value and the index after it."""
    total, group, end, seen = 0, 0, index, False
    last_scale = 10**18
    room = 10**3  # what may still be added to the group: less than the last part
    while end < len(stream):
        word = stream.lower[end]
        if word in _UNITS and _UNITS[word] < room:
            group, room = group + _UNITS[word], 0
        elif word in _TENS and room > 10:
            group, room = group + _TENS[word], 10
        elif word == "hundred" and group < 10 and (group or not seen):
            group, room = (group or 1) * 100, 100
        elif word in _SCALES and word != "k" and group and _SCALES[word] < last_scale:
            total, last_scale = total + group * _SCALES[word], _SCALES[word]
            group, room = 0, 10**3
        elif seen and word in ("-", "and") and _continues(stream, end, room):
            end += 1
            continue
        else:
            break
        seen, end = True, end + 1
    return (total + group, end) if seen else (None, index)


def _continues(stream: Stream, index: int, room: int) -> bool:
    """Whether the word after `-` (twenty-five) or `and` (a hundred and five) belongs to the same number."""
    following = stream.lower[index + 1] if index + 1 < len(stream) else ""
    if stream.lower[index] == "-":
        return room == 10 and following in _UNITS and stream.adjacent(index) and stream.adjacent(index + 1)
    after_hundred = stream.lower[index - 1] in ("hundred", *_SCALES)
    return after_hundred and (following in _UNITS or following in _TENS)
