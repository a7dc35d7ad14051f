"""Read literals: numbers, lists, matrices, quoted text, numerals of other bases and Roman numerals.

Ours, because libraries guess, or must be told the country: the commas of `1,200,3,400` and "1,5 and 2,5" may
stand within numbers or between them, and that is refused here.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise

from tools.expressions import MAX_DIGITS
from tools.reading.query import Mention, TokenizedQuery, UnreadError
from tools.reading.spoken import put

_SEPARATORS = frozenset({",", ";", "and", "&"})
_OPENING = {"[": "]", "(": ")", "{": "}", "<": ">"}
_SQUARE = str.maketrans("({)}−", "[[]]-")
_ROW = re.compile(r"\[([^\[\]]*)\]")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_QUOTED = re.compile(r"\"([^\"]*)\"|“([^”]*)”|‘([^’]*)’|«([^»]*)»|`([^`]*)`|(?<!\w)'([^']*)'(?!\w)")
_NUMERAL = re.compile(
    r"(?<![\w.,-])(0[xXbBoO][0-9A-Za-z]+|[0-9][0-9A-Fa-f]*|[A-F]{2,}|(?<=hex )[a-f]{1,8}"
    r"|[a-f]{2,8}(?= (?:in|to) decimal))"
    r"(?![\w-])(?![.,][0-9])"
)
_ROMAN = re.compile(r"(?<!\w)[MDCLXVI]{1,20}(?!\w)")
_BASES = {"binary": 2, "ternary": 3, "octal": 8, "decimal": 10, "hexadecimal": 16, "hex": 16}
_FIGURE = re.compile(r"(?<![\w.,])[0-9]+(?:[.,][0-9]+)+(?!\w|[.,][0-9])")
_COMMA_FOR_DECIMALS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")
_PAIR = re.compile(r"[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})")
_LISTED = re.compile(r"(?<![\w.,])[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})\s*;\s*-?[0-9]")
_THOUSANDS_LISTED = re.compile(r"(?<![\w.,])[0-9]{1,3},[0-9]{3}\s*;\s*-?[0-9]")
_GROUPED = re.compile(
    r"(?<![\w.,'])[0-9]{1,3}(?:(?:'[0-9]{3})+|(?:_[0-9]{3})+|(?: [0-9]{3})+)(?![\w'\"]|[.,][0-9])"
)


def respell_figures(query: TokenizedQuery) -> None:
    """Put plain numbers in the place of figures with decimal commas or grouped digits.

    A comma is a decimal one in `1.234,5`, and between semicolons: `1,5; 2,5`.

    Raises:
        UnreadError: if the figures of the question have different signs for decimals.
    """
    for match, first, end in reversed(list(query.matches(_GROUPED))):
        groups = re.split("[ '_]", match.group())
        if " " not in match.group() or any(group[0] == "0" for group in groups[1:]):
            put(query, first, end, "".join(groups))
    figures = list(query.matches(_FIGURE)) if "," in query.words else []
    texts = [match.group() for match, _, _ in figures]
    if _THOUSANDS_LISTED.search(query.text):
        raise UnreadError("The commas can be decimal ones or stand between thousands: write 1234 or 1.234.")
    in_list = _LISTED.search(query.text) and not {"[", "{"} & query.vocabulary
    if not (in_list or any(map(_COMMA_FOR_DECIMALS.fullmatch, texts))):
        return
    if not all(_COMMA_FOR_DECIMALS.fullmatch(text) or _PAIR.fullmatch(text) for text in texts):
        raise UnreadError("The commas and points of the numbers can be read in two ways: write 1234.5.")
    for match, first, end in reversed(figures):
        put(query, first, end, match.group().replace(".", "").replace(",", "."))


def find_numbers(query: TokenizedQuery) -> dict[int, tuple[int | float, int]]:
    """Find the numbers that are not taken, with their signs: value and end, by the index of the first token.

    Raises:
        UnreadError: if one of them is out of range.
    """
    indices = range(len(query.tokens))
    return {index: number for index in indices if (number := _number_at(query, index)) is not None}


def read_numbers(query: TokenizedQuery) -> None:
    """Take every number that is left."""
    for index, (value, end) in find_numbers(query).items():
        if not query.taken[index]:  # by its sign
            query.take("number", value, index, end)


def read_fractions(query: TokenizedQuery) -> None:
    """Take `1/2` and `1 1/2`, written without spaces around the stroke, as numbers."""
    for index in range(len(query.tokens) - 2):
        above, slash, below = query.words[index : index + 3]
        written = slash == "/" and query.adjacent(index + 1) and query.adjacent(index + 2)
        if not (written and above.isdigit() and below.isdigit() and int(below)) or query.taken[index]:
            continue
        value, first = int(above) / int(below), index
        if query.words[index - 1].isdigit() and not (query.adjacent(index) or query.taken[index - 1]):
            value, first = value + int(query.words[index - 1]), index - 1
        signed = query.words[first - 1] == "-" and query.adjacent(first) and not query.adjacent(first - 1)
        query.take("number", -value if signed else value, first - signed, index + 3)


def _number_at(query: TokenizedQuery, index: int) -> tuple[int | float, int] | None:
    signed = query.words[index] in ("-", "+") and query.adjacent(index + 1)
    if signed and query.adjacent(index) and query.tokens[index - 1].kind in ("number", "name"):
        return None
    position = index + 1 if signed else index
    if position >= len(query.tokens) or any(query.taken[index : position + 1]):
        return None
    if query.tokens[position].kind != "number":
        return None
    text = query.tokens[position].text
    if len(text) > MAX_DIGITS or not math.isfinite(float(text)):
        raise UnreadError(f"The number {text[:20]!r}... is out of range.")
    value = int(text) if text.isdigit() else float(text)
    return (-value if query.words[index] == "-" else value), position + 1


def join_lists(query: TokenizedQuery, *, whole: bool = False) -> None:
    """Make lists of the numbers that stand side by side or between commas and "and".

    Args:
        query: the question.
        whole: whether the numbers are whole, so that no comma is a decimal one.
    """
    runs: list[list[Mention]] = []
    query.mentions.sort(key=lambda mention: mention.first)
    for mention in query.mentions:
        if mention.kind != "number":
            continue
        if runs and _is_separated(query, runs[-1][-1].end, mention.first):
            runs[-1].append(mention)
        else:
            runs.append([mention])
    for run in runs:
        if len(run) > 1:
            _refuse_thousands(query, run)
            if not whole:
                _refuse_pairs(query, run)
            query.mentions = [mention for mention in query.mentions if mention not in run]
            query.mentions.append(_list(query, run))


def read_matrices(query: TokenizedQuery) -> None:
    """Take everything from a bracket to the one that closes it as a matrix: `[[1, 2], [3, 4]]`, `[1 2; 3 4]`.

    Raises:
        UnreadError: if the brackets do not match.
    """
    index = 0
    while index < len(query.tokens):
        end = _closing(query, index)
        rows = _rows(query.source(index, end)) if end else None
        if end and rows is not None:
            query.take("matrix", rows, index, end)
        index = end or index + 1


def read_quoted_texts(query: TokenizedQuery) -> None:
    """Take what stands in quotes."""
    for match, first, end in query.matches(_QUOTED):
        query.take("text", next(group for group in match.groups() if group is not None), first, end)


def read_numerals(query: TokenizedQuery) -> None:
    """Take bases and numerals. A base directly beside the numeral is the one that it is written in."""
    bases = _bases(query)
    of_bases = {index for _, first, end in bases for index in range(first, end)}
    numerals = [found for found in query.matches(_NUMERAL) if not of_bases.intersection(range(*found[1:]))]
    for match, first, end in numerals:
        query.take("numeral", match.group(), first, end)
    for position, (value, first, end) in enumerate(bases):
        beside = any(_is_beside(query, first, end, *numeral[1:]) for numeral in numerals)
        # Of "1101 in binary to decimal", the first is the one that it is written in.
        follows = position == 0 and len(bases) == 2 and query.words[end] in ("to", "into")
        beside = beside or (follows and any(one[2] == first - 1 for one in numerals))
        query.take("source_base" if beside else "base", value, first, end)


def read_roman_numerals(query: TokenizedQuery) -> None:
    """Take words of the letters MDCLXVI in capitals; not `I`, which is a word."""
    for match, first, end in query.matches(_ROMAN):
        if match.group() != "I":
            query.take("roman", match.group(), first, end)


def _is_separated(query: TokenizedQuery, end: int, first: int) -> bool:
    between = query.words[end:first]
    if not all(word in _SEPARATORS for word in between) or len(between) > 2:
        return False
    return bool(between) or not query.adjacent(first)


def _refuse_thousands(query: TokenizedQuery, run: list[Mention]) -> None:
    """Refuse `1,200,3,400`: a comma may stand within a number or between two."""
    with_commas = any("," in query.source(mention.first, mention.end) for mention in run)
    if with_commas and not all(query.text[query.tokens[m.first].start - 1].isspace() for m in run[1:]):
        raise UnreadError(
            "The commas can stand within numbers or between them: put spaces after those between."
        )


def _refuse_pairs(query: TokenizedQuery, run: list[Mention]) -> None:
    """Refuse `1,5 and 2,5`: a comma without a space in a list with other separators may be a decimal one."""
    sizes = [1]
    for left, right in pairwise(run):
        tight = query.words[left.end : right.first] == [","]
        tight = tight and query.adjacent(left.end) and query.adjacent(right.first)
        sizes = [*sizes[:-1], sizes[-1] + 1] if tight else [*sizes, 1]
    if 2 in sizes and len(sizes) > 1:
        raise UnreadError(
            "The commas can be decimal ones or stand between numbers: write 1.5, or spaces after commas."
        )


def _list(query: TokenizedQuery, run: list[Mention]) -> Mention:
    first, end = run[0].first, run[-1].end
    query.understand(range(first, end))
    if first and end < len(query.tokens) and _OPENING.get(query.words[first - 1]) == query.words[end]:
        first, end = first - 1, end + 1
        query.understand((first, end - 1))
    return Mention("list", [mention.value for mention in run], first, end)


def _closing(query: TokenizedQuery, index: int) -> int | None:
    """Find the index after the bracket that closes the one at a token, if there is one at it."""
    if query.words[index] not in "[({":
        return None
    depth = 0
    for position in range(index, len(query.tokens)):
        depth += (query.words[position] in "[({") - (query.words[position] in "])}")
        if depth == 0:
            return position + 1
    raise UnreadError("The brackets of the matrix do not match.")


def _rows(source: str) -> list[list[float]] | None:
    text = source.translate(_SQUARE)
    inner = text[1:-1].strip()
    texts = _ROW.findall(inner) if inner.startswith("[") else inner.split(";")
    if inner.startswith("[") and _ROW.sub("", inner).strip(" ,;\n"):
        return None
    rows = [re.split(r"\s*,\s*|\s+", row.strip()) for row in texts]
    if not all(_NUMBER.fullmatch(entry) for row in rows for entry in row):
        return None
    return [[float(entry) if "." in entry else int(entry) for entry in row] for row in rows]


def _bases(query: TokenizedQuery) -> list[tuple[int, int, int]]:
    """Find `binary`, `base 7`, `base-7`: the value and the tokens."""
    found = []
    for index, word in enumerate(query.words):
        if word in _BASES:
            found.append((_BASES[word], index, index + 1))
        elif word == "base":
            at = index + 2 if query.words[index + 1] == "-" else index + 1
            if query.words[at].isdigit():
                found.append((int(query.words[at]), index, at + 1))
    return found


def _is_beside(query: TokenizedQuery, first: int, end: int, numeral: int, numeral_end: int) -> bool:
    if numeral_end == first:
        return True
    return end <= numeral and query.words[end:numeral] in ([], ["number"], ["numeral"], [":"])
