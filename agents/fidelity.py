"""Check that a rewritten query still holds what the query said.

Meaning cannot be checked in code, but what must survive word for word can: numbers, units, names, negation,
code, quoted text, and at least one plain word. A rewrite that loses any of it is not sent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

_QUOTED = re.compile(
    r"\"([^\"\n]+)\"|“([^”\n]+)”|«([^»\n]+)»|(?<!\w)'([^'\n]+)'(?!\w)|(?<!\w)‘([^’\n]+)’(?!\w)"
)
_CODE = re.compile(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
# Only code and formulas have these: calls, dotted and underscored names, operators between terms.
_FORMAL = re.compile(
    r"\b\w+\([^\s()]*\)|\b\w+(?:_\w+)+\b|\b[a-z]\w*(?:\.[a-z_]\w+)+\b|[\w)\]]+(?:[\^*/=<>+]{1,2}[\w(\[-]+)+"
)
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?")
_SYMBOL = (
    r"°\s?[CFK]|%|[€$£¥]|[kcmMGµunp]?(?:m|g|s|l|L|A|V|W|J|N|Pa|Hz|bar|mol|eV|B|Wh)|mph|mi|ft|in|lb|oz"
    r"|h|min|K|Ω"
)
_UNIT = re.compile(rf"(?<=\d)\s?({_SYMBOL})(?:/({_SYMBOL}))?(?:\^?-?\d)?(?![\w°])|([€$£¥])\s?(?=\d)")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SENTENCE = re.compile(r"(?:^|[.!?:;\n]\s*|[-*]\s)\W*$")
_NOT = frozenset("not no never none nothing nobody neither nor without except cannot least unless".split())
_UNIT_WORDS = frozenset(
    "metre metres meter meters kilometre kilometres kilometer kilometers centimetre centimetres "
    "centimeter centimeters millimetre millimetres mile miles foot feet inch inches yard yards gram grams "
    "kilogram kilograms tonne tonnes pound pounds ounce ounces litre litres liter liters gallon gallons "
    "second seconds minute minutes hour hours day days week weeks month months year years degree degrees "
    "radian radians celsius fahrenheit kelvin volt volts ampere amperes amp amps watt watts joule joules "
    "newton newtons pascal pascals ohm ohms farad hertz percent dollar dollars euro euros mole moles "
    "calorie calories byte bytes".split()
)
_STEM = 4  # letters
_PLURAL_OF = {"feet": "foot", "inches": "inch"}
_OF_ASKING = frozenset(
    "what who which when where why how is are do does did can could would please tell give find i i'm i'd "
    "i've i'll the a an and or but if in of for to".split()
)


def lost(query: str, rewritten: str) -> list[str]:
    """List the numbers, units, names, negations, code and quotes of `query` that `rewritten` lacks.

    Each is counted, so that "3 and 3" is not "3". Numbers are compared by value, code without its spaces, and
    "isn't" may become "is not". A rewrite that shares nothing with the query, not even the beginning of a
    word, lost all of it.
    """
    if query in rewritten:
        return []
    missing: list[str] = []
    for kind in (_numbers, _units, _negations):
        missing += (Counter(kind(query)) - Counter(kind(rewritten))).elements()
    flat, folded = _flat(rewritten), rewritten.casefold()
    missing += [text for text in _verbatim(query) if _flat(text) not in flat]
    missing += [name for name in _names(query) if not re.search(rf"\b{re.escape(name.casefold())}\b", folded)]
    if not missing and not _touches(query, rewritten):
        missing = [query.strip()]
    return list(dict.fromkeys(missing))


def _numbers(text: str) -> Iterator[str]:
    for match in _NUMBER.finditer(text):
        yield f"{float(match[0].replace(',', '').rstrip('.')):.12g}"


def _units(text: str) -> Iterator[str]:
    for match in _UNIT.finditer(text):
        yield from (part.replace(" ", "") for part in match.groups() if part)
    for word in _words(text):
        if word in _UNIT_WORDS:
            yield _PLURAL_OF.get(word, word.removesuffix("s"))


def _negations(text: str) -> Iterator[str]:
    for word in _words(text):
        if word in _NOT or word.endswith("n't"):
            yield "never" if word == "never" else "without" if word in ("without", "except") else "not"


def _verbatim(text: str) -> Iterator[str]:
    for pattern in (_CODE, _QUOTED):
        for match in pattern.finditer(text):
            yield next(group for group in match.groups() if group)
    for match in _FORMAL.finditer(text):
        yield match[0]


def _names(text: str) -> Iterator[str]:
    """Yield capitalised words, except those that only begin a sentence."""
    for match in _WORD.finditer(text):
        word = match[0].removesuffix("'s").removesuffix("’s")
        begins = bool(_SENTENCE.search(text[: match.start()]))
        shouted = len(word) > 1 and word.isupper()
        if word[0].isupper() and (not begins or shouted) and word.casefold() not in _OF_ASKING:
            yield word


def _touches(query: str, rewritten: str) -> bool:
    """Return whether they share a number, a formula or the beginning of a word; true if `query` has none."""
    own, other = (
        {
            *_numbers(text),
            *map(_flat, _verbatim(text)),
            *(word[:_STEM] for word in _words(text) if len(word) >= _STEM),
        }
        for text in (query, rewritten)
    )
    own -= {word[:_STEM] for word in _OF_ASKING}
    return not own or bool(own & other)


def _words(text: str) -> Sequence[str]:
    return [word.casefold().replace("’", "'") for word in _WORD.findall(text)]


def _flat(text: str) -> str:
    return re.sub(r"\s+", "", text)
