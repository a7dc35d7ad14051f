"""Formulas in words: "x squared", "five plus three", "square root of 16", as tokens of the grammar."""

from __future__ import annotations

from tools.expressions import FUNCTIONS, is_symbol
from tools.lexer import Token
from tools.reading.stream import Stream, UnreadError

_OPERATORS = {
    "plus": "+", "minus": "-", "times": "*", "multiplied by": "*", "divided by": "/", "modulo": "mod",
    "to the power of": "^", "to the power": "^", "raised to the power of": "^", "raised to the power": "^",
    "raised to": "^", "squared": "^ 2", "cubed": "^ 3", "infinity": "oo", "infinite": "oo",
    "positive infinity": "oo",
    "negative infinity": "- oo", "minus infinity": "- oo",
}  # fmt: skip
_FUNCTIONS = {
    "square root of": "sqrt", "cube root of": "cbrt", "sine of": "sin", "cosine of": "cos",
    "natural log of": "ln", "natural logarithm of": "ln", "log base 2 of": "log2", "log base 10 of": "log10",
    "absolute value of": "abs", "factorial of": "factorial", "sqrt of": "sqrt", "sin of": "sin",
    "cos of": "cos",
    "tan of": "tan", "ln of": "ln", "exponential of": "exp", "square root": "sqrt", "cube root": "cbrt",
}  # fmt: skip
_PHRASES = sorted(
    ((tuple(phrase.split()), text) for phrase, text in (_OPERATORS | _FUNCTIONS).items()),
    key=lambda entry: -len(entry[0]),
)
_BINARY = (["+"], ["-"], ["*"], ["/"], ["^"])
_ORDINALS = {"fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10}


def respell_formulas(stream: Stream) -> None:
    """Put the grammar's tokens in the place of words, throughout the question."""
    index = 0
    while index < len(stream):
        _differential(stream, index) or _ordinal_power(stream, index) or _phrase(stream, index)
        _times_sign(stream, index)
        _factorial(stream, index)
        index += 1
    for position in range(len(stream)):
        _refuse_two_readings(stream, position)


def _refuse_two_readings(stream: Stream, index: int) -> None:
    """In speech nobody hears parentheses: "square root of 16 plus 9", "minus 2 squared"."""
    if not stream.is_spoken(index):
        return
    low, end = stream.lower, index + 2
    while end < len(stream) and (is_symbol(stream.tokens[end]) or stream.tokens[end].kind == "superscript"):
        end += 1
    if low[index] in FUNCTIONS and low[index + 1 : index + 2] != ["("] and low[end : end + 1] in _BINARY:
        raise UnreadError(f"It is not clear where {stream.source(index, end)!r} ends: put parentheses.")
    negative = index > 1 and low[index - 2] == "-" and stream.tokens[index - 1].kind == "number"
    follows = index > 2 and (stream.tokens[index - 3].kind == "number" or is_symbol(stream.tokens[index - 3]))
    if low[index] == "^" and negative and not follows:
        raise UnreadError("A power of a negative number needs parentheses.")


def _phrase(stream: Stream, index: int) -> bool:
    for words, text in _PHRASES:
        if stream.words_at(index, words):
            _put(stream, index, index + len(words), text)
            if stream.lower[index + 1 : index + 2] == ["of"] and text in ("sqrt", "cbrt"):
                stream.replace(index + 1, index + 2, ())
            return True
    return False


def _ordinal_power(stream: Stream, index: int) -> bool:
    """`to the 4th (power)`, `to the fourth`."""
    if not stream.words_at(index, ("to", "the")) or index + 2 >= len(stream):
        return False
    number, end = stream.tokens[index + 2], index + 3
    if stream.lower[index + 2] in _ORDINALS:
        digits = str(_ORDINALS[stream.lower[index + 2]])
    elif number.kind == "number" and stream.adjacent(end) and stream.lower[end] in ("st", "nd", "rd", "th"):
        digits, end = number.text, end + 1
    else:
        return False
    if end < len(stream) and stream.lower[end] == "power":
        end += 1
    _put(stream, index, end, f"^ {digits}")
    return True


def _differential(stream: Stream, index: int) -> bool:
    """`d/dx`, `dy/dx`, `d^2/dx^2`: the words "derivative" or "second derivative", and `dx`."""
    low = stream.lower
    for lead in ("d", "dy", "df", "∂"):
        if (
            low[index : index + 2] == [lead, "/"]
            and low[index + 2 : index + 3]
            and _is_differential(low[index + 2])
        ):
            _put(stream, index, index + 3, f"derivative {low[index + 2]}")
            return True
        power = low[index : index + 1] == [lead] and low[index + 1 : index + 2] == ["^"]
        if (
            power
            and low[index + 3 : index + 4] == ["/"]
            and low[index + 5 : index + 7] == ["^", low[index + 2]]
        ):
            ordinal = {"2": "second", "3": "third"}.get(low[index + 2])
            if ordinal and _is_differential(low[index + 4]):
                _put(stream, index, index + 7, f"{ordinal} derivative {low[index + 4]}")
                return True
    return False


def _is_differential(word: str) -> bool:
    return len(word) == 2 and word[0] == "d" and word[1] in "xyztuvwrs"


def _factorial(stream: Stream, index: int) -> None:
    """`7 factorial`."""
    follows_number = index and stream.tokens[index - 1].kind == "number"
    if stream.lower[index] == "factorial" and follows_number and stream.lower[index + 1 : index + 2] != ["("]:
        _put(stream, index, index + 1, "!")


def _times_sign(stream: Stream, index: int) -> None:
    """`3 x 4`: an x between two numbers, with spaces, multiplies."""
    between = stream.tokens[max(index - 1, 0) : index + 2]
    if (
        len(between) == 3
        and stream.lower[index] == "x"
        and between[0].kind == between[2].kind == "number"
        and between[0].end < between[1].start
        and between[1].end < between[2].start
    ):
        _put(stream, index, index + 1, "*")


def _put(stream: Stream, first: int, end: int, text: str) -> None:
    start, stop = stream.tokens[first].start, stream.tokens[end - 1].end
    stream.replace(first, end, [_token(part, start, stop) for part in text.split()])


def _token(text: str, start: int, end: int) -> Token:
    kind = "number" if text.isdigit() else "operator" if text in "+-*/^!" else "name"
    return Token(kind, text, start, end)  # type: ignore[arg-type]
