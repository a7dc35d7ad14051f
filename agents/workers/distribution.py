"""A question about several things as a question about each: "the capitals of Kenya and Peru"."""

from __future__ import annotations

import re

from agents.octopus.conversation.compound import parts_of

_TERM = r"[\w^*/+=().'’-]+"
_ITEM = rf"{_TERM}(?:\s+(?!and\b|or\b){_TERM}){{0,6}}"
_ITEMS = rf"(?P<items>{_ITEM}(?:\s*,\s*{_ITEM})*\s*,?\s+and\s+{_ITEM}?)"
# The question itself must speak of several: "capital of France and Germany" is not clear, "2 hours and 30
# minutes" is one thing.
_OF_EACH = re.compile(
    rf"what are the (?P<noun>\w+(?:\s\w+)?s)\s+(?P<link>of|for|in)\s+{_ITEMS}\s*\??", re.IGNORECASE
)
_WHETHER = re.compile(rf"are\s+{_ITEMS}\s+(?P<kind>prime|leap year)(?:s| numbers)?\s*\??", re.IGNORECASE)
_REQUEST = re.compile(
    rf"(?P<verb>(?:please )?(?:factor|differentiate|integrate|simplify|expand|solve))\s+{_ITEMS}[.?]?",
    re.IGNORECASE,
)


def distributed(question: str) -> tuple[str, ...]:
    """The questions that `question` asks at once: its parts, or one for each thing that it lists.

    A proposal: whether each is a question is for a reader of arguments to say. One if there is nothing to
    distribute.
    """
    parts, text = parts_of(question), question.strip()
    if len(parts) > 1:
        return parts
    if found := _OF_EACH.fullmatch(text):
        noun = _singular(found["noun"])
        return tuple(f"what is the {noun} {found['link']} {item}?" for item in _items(found["items"]))
    if found := _WHETHER.fullmatch(text):
        kind = "a leap year" if found["kind"].lower() == "leap year" else "a prime number"
        return tuple(f"is {item} {kind}?" for item in _items(found["items"]))
    if found := _REQUEST.fullmatch(text):
        return tuple(f"{found['verb']} {item}" for item in _items(found["items"].rstrip(".?")))
    return (question,)


def _items(listed: str) -> list[str]:
    split = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", listed)
    return [item.strip() for item in split if item.strip()]


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun[:-2] if noun.endswith("sses") else noun[:-1]
