"""Readers of quantities with units, and of units alone. Units are those of `tools.reading.unit_names`."""

from __future__ import annotations

from tools.reading.numbers import literal_at
from tools.reading.stream import Stream
from tools.reading.unit_names import PHRASES, unit_name

_LONGEST = max(map(len, PHRASES))


def read_quantities(stream: Stream) -> None:
    """Take numbers with the unit after them; "a day" is 1 day."""
    for index in range(len(stream)):
        number = literal_at(stream, index)
        if number is None and stream.lower[index] in ("a", "an") and stream.tokens[index].text.islower():
            number = 1, index + 1
        if number is None or stream.taken[index]:
            continue
        value, after = number
        unit = _unit_at(stream, after) or _inch_at(stream, after)
        if unit is not None:
            stream.take("quantity", f"{value} {unit[0]}", index, unit[1])


def read_units(stream: Stream) -> None:
    """Take the units that have no number."""
    for index in range(len(stream)):
        if stream.taken[index]:
            continue
        unit = _unit_at(stream, index)
        if unit is not None:
            stream.take("unit", unit[0], index, unit[1])
        elif (
            stream.lower[index] == "in"
            and stream.lower[index - 1] in ("to", "into")
            and index == _last(stream)
        ):
            stream.take("unit", "inch", index, index + 1)


def _unit_at(stream: Stream, index: int) -> tuple[str, int] | None:
    """The unit that begins here, such as `metre / second`, and the index after it."""
    first = _power_at(stream, index)
    if first is None:
        return None
    text, end = first
    while end + 1 < len(stream) and stream.lower[end] in ("/", "per", "*"):
        following = _power_at(stream, end + 1)
        if following is None:
            break
        text += f" {'*' if stream.lower[end] == '*' else '/'} {following[0]}"
        end = following[1]
    return text, end


def _power_at(stream: Stream, index: int) -> tuple[str, int] | None:
    """A unit with its power: `square feet`, `m^2`, `m²`."""
    if index >= len(stream):
        return None
    prefix = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}.get(stream.lower[index])
    single = _single_at(stream, index + 1 if prefix else index)
    if single is None:
        return None
    name, end = single
    if prefix:
        return f"{name} ** {prefix}", end
    if end < len(stream) and stream.tokens[end].kind == "superscript":
        return f"{name} ** {stream.tokens[end].text}", end + 1
    if stream.lower[end : end + 1] == ["^"] and stream.lower[end + 1 : end + 2] in (["2"], ["3"]):
        return f"{name} ** {stream.lower[end + 1]}", end + 2
    return name, end


def _single_at(stream: Stream, index: int) -> tuple[str, int] | None:
    for length in range(_LONGEST, 1, -1):
        words = tuple(stream.lower[index : index + length])
        if words in PHRASES and not any(stream.taken[index : index + length]):
            return PHRASES[words], index + length
    if index >= len(stream) or stream.taken[index] or stream.tokens[index].kind not in ("name", "other"):
        return None
    name = unit_name(stream.tokens[index].text)
    return None if name is None else (name, index + 1)


def _inch_at(stream: Stream, index: int) -> tuple[str, int] | None:
    """`5 in to cm`: `in` is the inch if what follows it is a preposition."""
    if stream.lower[index : index + 1] == ["in"] and stream.lower[index + 1 : index + 2] in (
        ["to"],
        ["in"],
        ["into"],
    ):
        return "inch", index + 1
    return None


def _last(stream: Stream) -> int:
    return max(index for index, token in enumerate(stream.tokens) if token.kind == "name")
