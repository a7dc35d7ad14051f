"""Say as a plain calculation what a short story asks: prices, wages, values in a row, days of events.

"A $90 jacket at 20% off" is "$90 minus 20%". Each story is a whole turn of a closed form, of
`stories.txt`: with one word more it is another story, and is not read.
"""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path

from agents.octopus.conversation.slots import is_unit

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d|,\d)|\d+)(?:\.\d+)?"
_COUNTS = "two three four five six seven eight nine ten eleven twelve".split()
# No part of the name of a thing: these change what is asked, or measure it.
_STOP = (
    r"(?:after|before|plus|with|without|if|unless|except|exclud\w+|inclu\w+|already|speeds?|rates?"
    r"|frequenc\w+|averages?|means|ratios?|probabilit\w+|odds|percentages|tax|vat|gst|tip|off"
    r"|discount\w*|free|half|quarter|third|double|twice|dozens?|per|each|every|less|more|minus|and|or|but|not"
    r"|no|then|another|was|were|sale|final|reduced|total|net|gross|old|missing|lowest|highest|first|last"
    r"|other|only|some|overtime|days?|weeks?|weekend|months?|years?|following|previous|next|eve|anniversary"
    r"|return|refund|buy|get|about|around|nearly|almost|hundred|thousand|million|percent|of|is|are|costs?|at"
    r"|for|from|on|to|in|by|weighted|sample|who|that|which|when|how|what|i|we|an?|the)"
)
_WORD = rf"(?!{_STOP}\b)[^\W\d_][^\W\d_'-]*(?:['-][^\W\d_]+)*"
_SIGNS = {"dollars": "$", "dollar": "$", "bucks": "$", "usd": "$", "euros": "€", "eur": "€", "quid": "£"}
_AMOUNTS = ("price", "paid")
_OWN = r"(?:(?:an?|the|my|our|this|that|these|those)\s+)?"
_ALL = r"(?:\s+(?:now|in\s+total|in\s+all|altogether|all\s+together))?"
_PARTS = {
    "PCT": rf"(?P<percent>{_NUMBER})\s?(?:%|percent|per\s+cent|pct)",
    "OWN": _OWN,
    "THING": rf"{_OWN}{_WORD}(?:\s+(?:of\s+)?{_WORD}){{0,2}}",
    "EVENT": rf"{_OWN}{_WORD}(?:\s+(?:(?:of|the|on|in)\s+)*{_WORD}){{0,4}}",
    "OFF": r"(?:off|discount|reduction)",
    "PAY": r"(?:(?:so\s+)?(?:(?:how\s+much|what)\s+(?:do|will|would|should|must|did|does)\s+"
    r"(?:i|we|you|it|they)\s+(?:pay|cost|owe|end\s+up\s+paying|have\s+to\s+pay)"
    rf"(?:\s+for\s+(?:it|them))?{_ALL}"
    rf"|how\s+much(?:\s+(?:is|are|for)\s+(?:it|that|this|they|them|all))?(?:\s+to\s+pay)?{_ALL}"
    r"|(?:what(?:'?s|\s+is)\s+)?(?:the\s+|my\s+)?(?:final\s+|sale\s+|new\s+|total\s+)?"
    r"(?:price|cost|total|bill)))",
    "SEP": r"\s*[,.;:]?\s+",
    "EACH": r"(?:each|apiece|a\s+piece|per\s+piece|per\s+item|per\s+unit|a\s+pop)",
    "HOURLY": r"\s?(?:/|an\s|per\s|a\s)\s?(?:hour|hr|h)",
    "YEARLY": r"(?:\s?(?:/|an?\s|per\s|each\s)\s?(?:year|yr|annum)|\s+yearly|\s+annually)",
    "MONTHLY": r"(?:\s?(?:/|an?\s|per\s|each\s|every\s)\s?month|\s+monthly)",
    "WHAT": r"(?:(?:what(?:'?s|\s+is|\s+are)|how\s+much\s+(?:is|are))\s+)?",
    "BACK": r"(?:\s+(?:do|will|would|should)\s+(?:i|we|you)\s+(?:get|receive|be\s+given))?(?:\s+back)?",
    "STATISTIC": r"(?P<statistic>mean|average|median|mode|range|sum|standard\s+deviation|variance)",
    "LIST": rf"(?P<list>-?{_NUMBER}(?:,\s+(?:and\s+)?-?{_NUMBER}|\s+and\s+-?{_NUMBER})+)",
    "DATE": r"(?P<date>\d{4}-\d\d-\d\d|\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?[a-z]+,?\s+\d{4}"
    r"|[a-z]+\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4})",
    "MONTH": rf"(?P<month>{'|'.join(month_name[1:]).lower()})",
}  # fmt: skip
_FORMULA = frozenset("=^*()[]{}\\_|<>")  # no story holds one, and the patterns take long to compile
_PLACE = re.compile(r"(?<!\?P)<(?P<count>#?)(?P<name>\w+)>")


def told_plainly(turn: str) -> str:
    """Return the plain calculation that a short story asks; "" if it is of no known form, or not possible."""
    turn = re.sub(r"\s+", " ", turn.strip(" ?.!\n")).lower()
    if len(turn) > 120 or not any(sign.isdigit() for sign in turn) or _FORMULA & set(turn):
        return ""
    for pattern, template, check in _patterns():
        if found := pattern.fullmatch(turn):
            parts = {name.removesuffix("_2"): text for name, text in found.groupdict().items() if text}
            written = _written(parts)
            return template.format(**written) if written and _holds(check, written) else ""
    return ""


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    """Return the stories: the pattern of a whole turn, what it asks, and what must be true."""
    lines = Path(__file__).with_name("stories.txt").read_text(encoding="utf-8").splitlines()
    found: list[tuple[re.Pattern[str], str, str]] = []
    form = check = ""
    for line in lines:
        if line.startswith("["):
            form, _, check = line[1:-1].partition(" if ")
        elif line and not line.startswith("#"):
            found.append((re.compile(_PLACE.sub(_part, line)), form, check))
    return tuple(found)


def _part(place: re.Match[str]) -> str:
    """Return the pattern of a place: `<THING>`, a number `<#n>`, an amount of money or a number `<price>`."""
    name = place["name"]
    if name in _PARTS:
        return _PARTS[name]
    if place["count"]:
        return rf"(?P<{name}>{_NUMBER}|{'|'.join(_COUNTS)})"
    return rf"(?P<{name}>[$€£]\s?{_NUMBER}|{_NUMBER}\s?(?:{'|'.join(_SIGNS)})|{_NUMBER})"


def _written(parts: Mapping[str, str]) -> dict[str, str]:
    """Return the parts as a calculation has them: counts in figures, amounts in one currency; or nothing."""
    written: dict[str, str] = dict(parts)
    if month := parts.get("month"):
        return _bounds(list(month_name).index(month.title()), int(parts["year"]))
    currencies = {_currency(text) for name, text in parts.items() if name in _AMOUNTS} - {""}
    if len(currencies) > 1:
        return {}
    for name, text in parts.items():
        if text in _COUNTS:
            written[name] = str(_COUNTS.index(text) + 2)
        elif name in _AMOUNTS:
            written[name] = "".join(currencies) + _number(text)
    return written


def _bounds(month: int, year: int) -> dict[str, str]:
    """Return the first days of a month and of the next."""
    begin = date(max(year, 1), month, 1)
    after = date(begin.year + month // 12, month % 12 + 1, 1)
    return {"begin": begin.isoformat(), "end": after.isoformat()}


def _currency(text: str) -> str:
    return text[0] if text[0] in "$€£" else _SIGNS.get(re.sub(r"[\d.,\s]", "", text), "")


def _number(text: str) -> str:
    return re.sub(r"[^\d.,]", "", text)


def _holds(check: str, parts: Mapping[str, str]) -> bool:
    """Return whether a story is possible: nobody gets change of less than the price."""
    if check == "units":
        return is_unit(parts["unit"]) and is_unit(parts["to"])
    if not check:
        return True
    less, more = (Fraction(_number(parts[name]).replace(",", "")) for name in check.split(" < "))
    return less < more
