"""Find what a question is asked of: its figures, units and names, each with its kind and place.

A turn that completes a question replaces what is of its own kind: a percentage a percentage, a name a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from tools.reading.places import read_countries
from tools.reading.quantities import read_units
from tools.reading.query import TokenizedQuery, UnreadError
from tools.reading.substances import read_elements

Kind = Literal[
    "quoted", "matrix", "date", "money", "percent", "list", "quantity", "unit", "base", "frequency",
    "equation", "reaction", "binding", "formula", "variable", "calculation", "number", "name",
]  # fmt: skip

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?"
_SIGNED = rf"-?{NUMBER}(?![\w^*/%]|\s*[%^*/+]|\s+-\s)"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_FUNCTION = r"(?:arc)?(?:sinh?|cosh?|tanh?|sec|csc|cot)|exp|ln|log|sqrt|cbrt|abs"
_LETTER = r"(?<![A-Za-z'’])[A-Za-z](?![A-Za-z'’])"
_ATOM = rf"(?:{NUMBER}|(?:{_FUNCTION})(?![A-Za-z])\s?|pi(?![A-Za-z])|{_LETTER}|[()²³])"
_FORMULA = rf"-?{_ATOM}(?:\s*(?:[-+*/^×÷·=]+|\b(?:mod|choose)\b)\s*-?\s?{_ATOM}|{_ATOM})*"
_COMPOUND = r"(?:\d+\s?)?(?<![a-z])(?:[A-Z][a-z]?\d*|\((?:[A-Z][a-z]?\d*)+\)\d*)+(?![\w^(])"
_SIDE = rf"{_COMPOUND}(?:\s*\+\s*{_COMPOUND})*"
_AND = r"(?:and|or|und|oder|y|et|ou|e|和|与)"
_FIGURE = re.compile(
    rf"""(?P<quoted>"[^"]*"|(?<!\w)'[^']+'(?!\w))
    |(?P<matrix>\[(?:[^\[\]]|\[[^\[\]]*\])*\])
    |(?P<reaction>(?-i:{_SIDE}\s*(?:->|→|=)\s*{_SIDE}))
    |(?P<date>\b\d{{4}}-\d\d?-\d\d?\b|\b{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}}\b)?
        |\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}\b(?:,?\s+\d{{4}}\b)?)
    |(?P<money>[$€£]\s?{NUMBER}|{NUMBER}\s?(?:dollars|euros|bucks|usd|eur)\b)
    |(?P<percent>-?{NUMBER}\s?(?:%|percent\b|per\ cent\b))
    |(?P<list>(?<![\w.^*/])(?:{_SIGNED}(?:\s*[,;]\s*{_SIGNED})*\s*,?\s*{_AND}\s*{_SIGNED}
        |{_SIGNED}(?:\s*[,;]\s+{_SIGNED})+|{_SIGNED}(?:\s+{_SIGNED}){{2,}}))
    |(?P<name>(?-i:(?<![\w(^])(?=[A-Za-z()]*\d)(?:[A-Z][a-z]?\d*|\((?:[A-Z][a-z]?\d*)+\)\d*)+(?![\w^(])))
    |(?P<base>\b(?:binary|hex(?:adecimal)?|octal|roman\ numerals?|base\ \d+|base64)\b)
    |(?P<frequency>\b(?:annually|yearly|semi-?annually|quarterly|monthly|weekly|daily)\b)
    |(?P<mathematics>(?<![\w'’])(?:{_FORMULA}))""",
    re.VERBOSE | re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:the\s+)?[A-Z][\w'’.-]*(?:\s+(?:of\s+|and\s+|the\s+)*[A-Z][\w'’.-]*){0,3}|[A-Z][A-Za-z]?[A-Za-z\d()]*"
)
_WORDS = re.compile(r"(?:the\s+)?[^\W\d_][\w'’.-]*(?:\s+[^\W\d_][\w'’.-]*){0,2}")
_NAME_WITH_OF = re.compile(r"[A-Z]\w*(?: (?:of|and) (?:the )?[A-Z]\w*)+")
_CLOSED = re.compile(
    r"\b(?:what|who|which|where|when|why|how|is|are|was|were|do|does|did|can|could|will|would|it|its|that"
    r"|this|they|them"
    r"|their|he|she|you|i|me|my|we|not|no|yes|a|an|and|or|but|if|so|than|more|less|of|for|in|at|to|from|by"
    r"|with|on"
    r"|add|plus|minus|times|double|half|again|other|one|all|there|here|then|please|convert|find|solve|give"
    r"|tell)\b",
    re.IGNORECASE,
)

OF = ("of", "for")
ROMANCE = (
    "de la", "de l'", "de", "del", "du", "des", "d'", "do", "da", "di", "della", "von der", "von", "vom",
)  # fmt: skip
_OTHER = (
    "with respect to", "in", "into", "to", "from", "at", "by", "with", "on", "over", "between", "after",
    "before", "as", "when", "where", "per", "off", "than", "mod", "modulo", "choose", "en", "nach", "para",
)  # fmt: skip
_WORDS_OF_PLACE = "|".join(sorted({*OF, *ROMANCE, *_OTHER}, key=len, reverse=True))
_PREPOSITION = re.compile(rf"(?<![\w'’])(?P<word>{_WORDS_OF_PLACE})(?:\s+|(?<=')|(?<=’))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Slot:
    """Hold a part of a question: its kind, its text and where it stands."""

    kind: Kind
    text: str
    start: int
    end: int

    def replaced(self, question: str, text: str) -> str:
        """Return `question` with another text in this place."""
        return question[: self.start] + text + question[self.end :]


class Phrase(NamedTuple):
    """Hold a preposition with its object: the word, the object, and where the phrase stands."""

    word: str
    text: str
    start: int
    end: int


@lru_cache(maxsize=256)
def figures(text: str) -> tuple[Slot, ...]:
    """Return the figures of a text, in order: numbers, formulas, dates and what is written in figures."""
    found = []
    for match in _FIGURE.finditer(text):
        slot = _mathematics(match) if match.lastgroup == "mathematics" else _slot(match)
        if slot is not None:
            found.append(slot)
    return tuple(found)


def kind_of(text: str) -> Kind | None:
    """Return the kind of a text that is one slot as a whole; None where it is none or says more."""
    text = text.strip()
    found = figures(text)
    if len(found) == 1 and (found[0].start, found[0].end) == (0, len(text)):
        return found[0].kind
    number = re.match(rf"-?{NUMBER}\s*", text)
    if number and is_unit(text[number.end() :]):
        return "quantity"
    if is_unit(text):
        return "unit"
    closed = _CLOSED.search(text)
    if _NAME.fullmatch(text) and not (closed and closed.start() == 0):
        return "name"
    return "name" if _WORDS.fullmatch(text) and not closed else None


def quantities(text: str) -> tuple[Slot, ...]:
    """Return the numbers of a text that have a unit behind them, with it."""
    found = []
    for slot in figures(text):
        if slot.kind != "number":
            continue
        words = re.match(r"\s*(?:[^\W\d_°]+(?: [^\W\d_]+)?|°\s?[CF])", text[slot.end :])
        unit = words[0] if words else ""
        for one in (unit, unit.rpartition(" ")[0]):  # "degrees celsius" before "degrees"
            if is_unit(one):
                end = slot.end + len(one)
                found.append(Slot("quantity", text[slot.start : end], slot.start, end))
                break
    return tuple(found)


def units(text: str) -> tuple[Slot, ...]:
    """Return the units of a text that have no number before them."""
    taken = quantities(text)
    words = re.finditer(r"(?<![\w^])(?:(?:square|cubic)\s+)?[^\W\d_]+(?:/[^\W\d_]+)?(?!\w)", text)
    return tuple(
        Slot("unit", word[0], *word.span())
        for word in words
        if word[0].lower() not in ("in", "a", "second", "at") and is_unit(word[0])
        if not any(one.start <= word.start() < one.end for one in taken)
    )


def names_in(text: str) -> tuple[Slot, ...]:
    """Return the names within a text, by their capitals; its first word may have one for another reason."""
    found = re.finditer(r"(?<=[a-z] )[A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*)*", text)
    return tuple(Slot("name", match[0], *match.span()) for match in found)


def places_in(text: str) -> tuple[Slot, ...]:
    """Return the countries and chemical elements that tools know in a text, in small letters too."""
    for read in (read_countries, read_elements):
        try:
            query = TokenizedQuery(text)
            read(query)
        except UnreadError:
            continue
        if query.mentions:
            ends = [(query.tokens[one.first].start, query.tokens[one.end - 1].end) for one in query.mentions]
            return tuple(Slot("name", text[start:end], start, end) for start, end in ends)
    return ()


def phrases_of(text: str) -> list[Phrase]:
    """Return the prepositional phrases of a text, each up to the next; a name with "of" is one object."""
    inside = [match.span() for match in _NAME_WITH_OF.finditer(text)]
    found = [
        match for match in _PREPOSITION.finditer(text) if not any(a < match.start() < b for a, b in inside)
    ]
    phrases = []
    for k, match in enumerate(found):
        word = match["word"].lower().replace("’", "'")
        end = found[k + 1].start() if k + 1 < len(found) and word != "as" else len(text)
        own = text[match.end() : end].rstrip(" ?.!,¿？")
        if own:
            phrases.append(Phrase(word, own, match.start(), match.end() + len(own)))
        if word == "as":  # "as x goes to infinity"
            break
    return phrases


@lru_cache(maxsize=512)
def is_unit(text: str) -> bool:
    """Return whether a text is a unit that tools know, or a length of time."""
    text = text.strip()
    if not text or len(text) > 30:
        return False
    if re.fullmatch(r"(?:days?|weeks?|months?|years?)", text, re.IGNORECASE):
        return True
    try:
        query = TokenizedQuery(text)
        read_units(query)
    except UnreadError:
        return False
    return all(query.taken)


def _slot(match: re.Match[str]) -> Slot:
    kind: Kind = match.lastgroup  # type: ignore[assignment]  # the groups are named as kinds are
    return Slot(kind, match[0], *match.span())


def _mathematics(match: re.Match[str]) -> Slot | None:
    """Return a formula or number with its kind, without a parenthesis that has no partner."""
    text, start = match[0].rstrip(), match.start()
    while text.count("(") > text.count(")") and text.startswith("("):
        text, start = text[1:], start + 1
    while text.count(")") > text.count("(") and text.endswith(")"):
        text = text[:-1]
    letters = re.findall(r"[A-Za-z]+", re.sub(rf"(?i:{_FUNCTION}|mod|choose|\bpi\b)", " ", text))
    kind: Kind
    if not re.search(r"\w", text):
        return None
    if "=" in text:
        kind = "binding" if re.fullmatch(rf"[A-Za-z]\s*=\s*-?(?:{NUMBER}|pi)", text) else "equation"
    elif len(text) == 1 and text.isalpha():
        if text in "aAI":
            return None
        kind = "variable"
    elif letters:
        kind = "formula"
    else:
        kind = "number" if re.fullmatch(rf"-?{NUMBER}", text) else "calculation"
    return Slot(kind, text, start, start + len(text))
