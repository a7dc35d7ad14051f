"""Complete an elliptic part of a query: "the capital of Kenya, and of Peru?"."""

from __future__ import annotations

import re

_PREPOSITION = r"(?:of|for|in|to|from)"
_NAME = r"(?:the\s+)?[A-Z][\w'’.-]*(?:\s+(?:of|and|the)?\s*[A-Z][\w'’.-]*){0,3}"
_SHORT = rf"(?:{_NAME}|[\w'’.^+-]+(?:\s+[\w'’.^+-]+)?)"
_LIKE_THE_LAST = re.compile(rf"(?P<preposition>{_PREPOSITION})\s+(?P<object>{_SHORT})\s*\??", re.ASCII)
_ABOUT = re.compile(rf"(?:what|how) about\s+(?:{_PREPOSITION}\s+)?(?P<object>{_SHORT})\s*\??", re.IGNORECASE)
_TERM = r"[\w^()+*/=.-]*[\d(][\w^()+*/=.-]*"  # a number or formula
_THING = rf"(?:{_NAME}|{_TERM}(?:,?\s+(?:and\s+)?{_TERM})*)"
_WITHIN = r"(?:\s+(?:from \S+ to \S+|at \S+))?"
_OF = re.compile(rf"(?P<head>the (?:\w+ ){{0,2}}?\w+)\s+of\s+(?P<object>{_THING}){_WITHIN}\s*[?.]?")
_ASKED_OF = re.compile(
    r"(?P<asking>.*?\b(?:what(?:'s|’s|s| is| are| was| were)|who(?:'s|’s| is| was)|find|give|tell me"
    r"|give me|name|compute|calculate|determine))\s+"
    rf"(?P<head>the (?:\w+ ){{0,2}}?\w+)\s+of\s+{_THING}{_WITHIN}\s*[?.]?",
    re.IGNORECASE,
)
_FORMULA = re.compile(r"[\d.()]+(?:\s*(?:[-+*/^×÷%]|mod)\s*[\d.()]+)+\s*\??")
_ASKED_FORMULA = re.compile(
    rf"(?P<asking>.*?\b(?:what(?:'s|’s|s| is)|how much is|compute|calculate))\s+{_FORMULA.pattern}",
    re.IGNORECASE,
)
# Of two things together: "the ratio of the mass of A and the mass of B".
_RELATION = re.compile(
    r"\b(?:sum|product|ratio|difference|relation|relationship|relations|average|mean|comparison|distance"
    r"|combination|union|intersection|gcd|lcm|mixture|war|treaty|border|history|role|similarity"
    r"|similarities|differences|alliance)\b",
    re.IGNORECASE,
)


def completed(before: str, elliptic: str, *, strong: bool = True) -> str | None:
    """Return the question that `elliptic` stands for after the question `before`; None if that is unclear.

    Args:
        before: the part before, a full question.
        elliptic: what follows the coordinator, e.g. "of Peru?", "what about Peru?", "the currency of Japan".
        strong: whether a comma or the end of a sentence stands between them; "of" by itself needs one.
    """
    text = elliptic.strip()
    if about := _ABOUT.fullmatch(text):
        return _with_last_object(before, rf"{_PREPOSITION}", about["object"])
    if strong and (like := _LIKE_THE_LAST.fullmatch(text)):
        return _with_last_object(before, like["preposition"], like["object"])
    asked, own = _ASKED_OF.fullmatch(before.strip()), _OF.fullmatch(text)
    if asked and own and not _RELATION.search(asked["head"]):
        return f"{asked['asking']} {text}"
    if strong and _FORMULA.fullmatch(text) and (formula := _ASKED_FORMULA.fullmatch(before.strip())):
        return f"{formula['asking']} {text}"
    return None


def _with_last_object(before: str, preposition: str, name: str) -> str | None:
    """Return `before` with the object of its last preposition replaced, where that object ends it."""
    found = re.fullmatch(rf"(?P<asking>.+\b{preposition})\s+{_SHORT}\s*(?P<end>\??)", before.strip())
    if found is None or _RELATION.search(before):
        return None
    return f"{found['asking']} {name}?"
