"""Put calculations in the place of shares and multiples: "half of 84", "twice 5", "3 dozen", `1 1/2`.

Ours, because what such a share is of ends where a calculation goes on: "half of 10 + 2" is refused.
"""

from __future__ import annotations

from tools.reading.query import TokenizedQuery, UnreadError
from tools.reading.spoken import put

_SHARES = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10, "hundredth": 100,
}  # fmt: skip
_GOING_ON = frozenset(
    "+ - * / ^ ! % mod modulo plus minus times divided multiplied squared cubed raised factorial to".split()
)
_DEGREES = frozenset({"degrees", "degree", "deg", "°"})
_TRIGONOMETRIC = frozenset("sin cos tan cot sec csc sine cosine tangent".split())
_MULTIPLES = {"twice": 2, "double": 2, "thrice": 3, "triple": 3}


def respell_shares(query: TokenizedQuery) -> None:
    """Put products in the place of "half of 84", "two thirds of", "twice 5", "3 dozen", "10 more than 5".

    Raises:
        UnreadError: if an operator follows, so that it is not clear what the share is of.
    """
    compares = query.words[0] in ("is", "are", "was", "which")
    for index in range(len(query.tokens) - 1, -1, -1):  # from the end: "half of a third of 60"
        if index >= len(query.tokens) or _angle(query, index) or _dozen(query, index) or _share(query, index):
            continue
        if query.words[index] == "negative" and query.words[index + 1][:1].isdigit():
            put(query, index, index + 1, "-")
        if not (_multiple(query, index) or _root(query, index) or _power(query, index) or compares):
            _more_or_less(query, index)


def respell_mixed_numbers(query: TokenizedQuery) -> None:
    """Put sums in the place of numbers with a fraction: `1 1/2`."""
    for index in range(len(query.tokens) - 4, -1, -1):
        whole, above, slash, below = query.words[index : index + 4]
        written = query.adjacent(index + 2) and query.adjacent(index + 3) and not query.adjacent(index + 1)
        if slash == "/" and written and all(one.isdigit() for one in (whole, above, below)):
            _refuse_factor(query, index)
            put(query, index, index + 4, f"( {whole} + {above} / {below} )")


def respell_divisors(query: TokenizedQuery) -> None:
    """Put parentheses around a fraction by which is divided: `1/2 ÷ 1/4`."""
    for index in range(len(query.tokens) - 3, 0, -1):
        above, slash, below = query.words[index : index + 3]
        written = slash == "/" and query.adjacent(index + 1) and query.adjacent(index + 2)
        spaced = query.words[index - 1] == "/" and not query.adjacent(index) and not query.adjacent(index - 1)
        divides = spaced or query.words[index - 2 : index] == ["divided", "by"]
        if written and divides and above.isdigit() and below.isdigit():
            put(query, index, index + 3, f"( {above} / {below} )")


def _operand(query: TokenizedQuery, index: int) -> int | None:
    """Find the end of the number or of what stands in parentheses here; nothing may be done to it further.

    Raises:
        UnreadError: if an operator follows.
    """
    end = index + (query.words[index] == "-" and query.adjacent(index + 1))
    if end < len(query.tokens) and query.tokens[end].kind == "number":
        is_fraction = query.words[end + 1] == "/" and query.adjacent(end + 1) and query.adjacent(end + 2)
        end += 3 if is_fraction and query.words[end + 2].isdigit() else 1
    elif query.words[end] == "(":
        depth, end = 1, end + 1
        while depth and end < len(query.tokens):
            depth += (query.words[end] == "(") - (query.words[end] == ")")
            end += 1
    else:
        return None
    if query.words[end] in _GOING_ON:
        raise UnreadError(f"It is not clear where {query.source(index, end)!r} ends: put parentheses.")
    return end


def _share(query: TokenizedQuery, index: int) -> bool:
    """Respell `half of 84`, `a third of`, `2 thirds of`, `3/4 of`."""
    above, first, word = "1", index, query.words[index]
    written = query.words[index + 1] == "/" and query.adjacent(index + 1) and query.adjacent(index + 2)
    if written and word.isdigit() and query.words[index + 2].isdigit():
        above, below, after = word, query.words[index + 2], index + 3
    else:
        denominator = _SHARES.get(word) or _SHARES.get(word.removesuffix("s"))
        if denominator is None:
            return False
        below, after = str(denominator), index + 1
        if query.words[index - 1] == "a":
            first = index - 1
        elif query.words[index - 1].isdigit():
            above, first = query.words[index - 1], index - 1
    end = _operand(query, after + 1) if query.words[after] == "of" else None
    if end is None:
        return False
    _wrap(query, after + 1, end, f"( {above} / {below} ) *", first)
    return True


def _multiple(query: TokenizedQuery, index: int) -> bool:
    """Respell `twice 45`, `double 37`."""
    factor = _MULTIPLES.get(query.words[index])
    end = _operand(query, index + 1) if factor else None
    if end is not None:
        _wrap(query, index + 1, end, f"{factor} *", index)
    return end is not None


def _root(query: TokenizedQuery, index: int) -> bool:
    """Respell `fourth root of 81`."""
    degree = _SHARES.get(query.words[index])
    if (
        not degree
        or query.words[index] in ("half", "quarter")
        or query.words[index + 1 : index + 3] != ["root", "of"]
    ):
        return False
    end = _operand(query, index + 3)
    if end is not None:
        _refuse_factor(query, index)
        put(query, end - 1, end, f"{query.words[end - 1]} ) ^ ( 1 / {degree} )")
        put(query, index, index + 3, "(")
    return end is not None


def _power(query: TokenizedQuery, index: int) -> bool:
    """Respell `square of 12`, `cube of 3`, `reciprocal of 4`."""
    exponent = {"square": "2", "cube": "3", "reciprocal": "-1"}.get(query.words[index])
    end = _operand(query, index + 2) if exponent and query.words[index + 1] == "of" else None
    if end is not None:
        _refuse_factor(query, index)
        put(query, end - 1, end, f"{query.words[end - 1]} ) ^ ( {exponent} )".replace("-1", "- 1"))
        put(query, index, index + 2, "(")
    return end is not None


def _angle(query: TokenizedQuery, index: int) -> bool:
    """Respell `sin(30 degrees)`: the angle in radians."""
    if query.words[index] not in _DEGREES or not _TRIGONOMETRIC & query.vocabulary:
        return False
    if not index or query.tokens[index - 1].kind != "number":
        return False
    put(query, index - 1, index + 1, f"( {query.words[index - 1]} * pi / 180 )")
    return True


def _dozen(query: TokenizedQuery, index: int) -> bool:
    """Respell `3 dozen`, `a dozen`, `half a dozen`."""
    if query.words[index] != "dozen":
        return False
    if query.words[index - 2 : index] == ["half", "a"]:
        put(query, index - 2, index + 1, "6")
    elif query.words[index - 1] == "a":
        put(query, index - 1, index + 1, "12")
    elif query.words[index - 1].isdigit():
        put(query, index - 1, index + 1, f"( {query.words[index - 1]} * 12 )")
    return True


def _more_or_less(query: TokenizedQuery, index: int) -> None:
    """Respell `10 more than 32`."""
    sign = {"more": "+", "less": "-"}.get(query.words[index])
    before = index > 0 and query.tokens[index - 1].kind == "number"
    if not (sign and before and query.words[index + 1] == "than"):
        return
    end = _operand(query, index + 2)
    if end is not None:
        _refuse_factor(query, index - 1)
        put(query, end - 1, end, f"{query.words[end - 1]} {sign} {query.words[index - 1]} )")
        put(query, index - 1, index + 2, "(")


def _wrap(query: TokenizedQuery, operand: int, end: int, before: str, first: int) -> None:
    """Put parentheses around an operand, and something before it in the place of the words from `first`."""
    _refuse_factor(query, first)
    put(query, end - 1, end, f"{query.words[end - 1]} )")
    put(query, first, operand, f"( {before}")


def _refuse_factor(query: TokenizedQuery, index: int) -> None:
    """Refuse a number directly before parentheses that take the place of words: it would multiply them.

    Raises:
        UnreadError: if there is one.
    """
    if index and (query.tokens[index - 1].kind == "number" or query.words[index - 1] == ")"):
        raise UnreadError(f"{query.source(index - 1, index + 1)!r} can be read in two ways.")
