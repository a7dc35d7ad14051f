"""Read the figures of other countries: `1.234,5`, `1,5; 2,5`, `1'000`, `1 000 000`.

Ours, because libraries must be told the country, and a question seldom tells it: only figures that have one
reading are read.
"""

from __future__ import annotations

import re

from tools.reading.query import TokenizedQuery, UnreadError
from tools.reading.spoken import put

_FIGURE = re.compile(r"(?<![\w.,])[0-9]+(?:[.,][0-9]+)+(?!\w|[.,][0-9])")
_COMMA_FOR_DECIMALS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+")
_PAIR = re.compile(r"[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})")
_LISTED = re.compile(r"(?<![\w.,])[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})\s*;\s*-?[0-9]")
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
    in_list = _LISTED.search(query.text) and not {"[", "{"} & query.vocabulary
    if not (in_list or any(map(_COMMA_FOR_DECIMALS.fullmatch, texts))):
        return
    if not all(_COMMA_FOR_DECIMALS.fullmatch(text) or _PAIR.fullmatch(text) for text in texts):
        raise UnreadError("The commas and points of the numbers can be read in two ways: write 1234.5.")
    for match, first, end in reversed(figures):
        put(query, first, end, match.group().replace(".", "").replace(",", "."))
