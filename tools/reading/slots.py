"""Say values in English: the numbers, formulas, dates, units and names of a question in another language.

Names are those of Unicode's CLDR, beside a few of our own in the files of `frames/`. A value that could be
two is refused, above all 1.234, which is a whole number in one country and a decimal in the next.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from tools.reading.query import UnreadError
from tools.subjects.gazetteer import NOT_ONE, cities, countries, fold

_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?:[,.]|$))")
_SPACED = re.compile(r"(?<![\w.,])[1-9][0-9]{0,2}(?: [0-9]{3})+(?![\w])")
_LETTER_AS_WORD = re.compile(r"(?<=[\w)]) [aeiouyAEIOUY] (?=[\w(])")
_LETTERS = re.compile(r"[^\W\d_]+")
_OF_FORMULAS = frozenset("sin cos tan cot sec csc ln log exp sqrt abs pi dx dy".split())
_NAMES = Path(__file__).with_name("frames") / "names.tsv.gz"
KINDS = ("country", "city", "month", "unit", "date")
_LARGE = 100_000
_NUKTA = "\u093c"  # of Hindi, often left out
_CONGO = ("congo", "kongo", "конго", "刚果", "コンゴ", "콩고", "الكونغو", "कांगो")
_RUSSIAN = (
    ("ия", "ии"),
    ("ья", "ьи ье"),
    ("а", "ы и е"),
    ("я", "и е"),
    ("ь", "и я е"),
    ("и", "и"),
    ("й", "я е"),
    ("", "а е"),
)
_SYMBOLS = frozenset(
    "km m cm mm nm kg g mg t l ml cl h min s ms °c °f k c f km/h m/s mph kwh kj j w kw hz".split()
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}")
_COUNTED_DAY = re.compile(r"([0-9]{4})[년年] ?([0-9]{1,2})[월月] ?([0-9]{1,2})[일日号號]?")
_LINKS = r"(?:de |del |do |di |năm |nam |г\.? |den |der )?"


@dataclass(frozen=True)
class Language:
    """Hold what a language calls things.

    Attributes:
        code: ISO 639-1.
        settings: its settings: `decimal`, which is `comma`, `point` or `unclear`; `thousands`, which is
            `point` where 12.000 is a whole number in every country; `spaces`, whether words stand apart; and
            patterns of words: `and`, `one`, `percent`, `endings` of names.
        own: English names beside those of CLDR by kind (country, city, month, unit, date) and folded name;
            countries by code. The kind `words` has the operators and functions of formulas.
    """

    code: str
    settings: Mapping[str, str]
    own: Mapping[str, Mapping[str, str]] = field(repr=False)

    @cached_property
    def names(self) -> Mapping[str, Mapping[str, str]]:
        """Return all names, by kind and folded name."""
        known = _names(self.code)
        return {kind: {**known[kind], **self.own[kind]} for kind in KINDS}

    @cached_property
    def formula_words(self) -> re.Pattern[str]:
        """Return a pattern of the words of formulas, the longest first."""
        listed = "|".join(re.escape(one) for one in sorted(self.own["words"], key=len, reverse=True))
        return re.compile(rf"(?<![^\W\d_])(?:{listed})(?![^\W\d_])" if self.spaced else listed or r"(?!)")

    @property
    def spaced(self) -> bool:
        """Return whether words stand apart."""
        return self.settings.get("spaces", "yes") == "yes"


def folded(text: str) -> str:
    """Return a text in lower case without accents, each sign in its place."""
    return "".join(_FOLDED.get(sign) or _fold(sign) for sign in text)


_FOLDED = {"İ": "i", "ı": "i", "đ": "d", "Đ": "d", "ø": "o", "ł": "l", "’": "'", "ʼ": "'"}


def _fold(sign: str) -> str:
    lower = sign.lower()[:1]
    latin_or_cyrillic = lower < "\u0530" or "\u1e00" <= lower < "\u1f00"
    return unicodedata.normalize("NFD", lower)[0] if latin_or_cyrillic else lower


def formula(text: str, language: Language) -> str | None:
    """Say a formula or equation; None if a word of it is unknown."""
    said, end, plain = [], 0, folded(text)
    for match in language.formula_words.finditer(plain):
        said += [text[end : match.start()], f" {language.own['words'][match.group()]} "]
        end = match.end()
    said.append(text[end:])
    if any(not _is_of_formulas(word) for piece in said[::2] for word in _LETTERS.findall(piece)):
        return None
    if any(map(_LETTER_AS_WORD.search, said[::2])):  # "3 e 4" is three and four in Italian
        return None
    pieces = [_numbers(piece, language) if k % 2 == 0 else piece for k, piece in enumerate(said)]
    return " ".join("".join(pieces).split())


def number(text: str, language: Language) -> str | None:
    """Say one number in figures."""
    return plain if re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", plain := _numbers(text, language)) else None


def percentage(text: str, language: Language) -> str | None:
    """Say a percentage: `15 %`."""
    match = re.fullmatch(rf"(.+?)\s*(?:%|{language.settings.get('percent', '%')})", folded(text))
    found = number(match[1], language) if match else None
    return None if found is None else f"{found}%"


def binding(text: str, language: Language) -> str | None:
    """Say a value of a variable: `x = 2`."""
    match = re.fullmatch(r"([a-z])\s*=\s*(.+)", text)
    value = formula(match[2], language) if match else None
    return f"{match[1]} = {value}" if match and value else None


def numbers(text: str, language: Language) -> str | None:
    """Say a list of numbers.

    Raises:
        UnreadError: if a comma may stand within a number or between two.
    """
    links = language.settings.get("and", "").split("|")
    listed = "|".join(re.escape(link) for link in links if link)
    between = rf"\s*;\s*|,\s+(?:(?:{listed})\s+)?|\s*(?:{listed})\s*" if listed else r"\s*;\s*|,\s+"
    if language.settings["decimal"] == "point":
        between += r"|,"
    items = [item for item in re.split(between, folded(text)) if item]
    with_comma = [item for item in items if "," in item]
    if with_comma and len(with_comma) < len(items) and ";" not in text and ", " not in text:
        raise UnreadError("A comma can stand within a number or between two: put ';' between the numbers.")
    if any(_SPACED.fullmatch(item) for item in items):
        raise UnreadError("A space can stand within a number or between two: put ';' between the numbers.")
    said = [number(item, language) for item in items]
    return ", ".join(filter(None, said)) if len(said) > 1 and all(said) else None


def country(text: str, language: Language) -> str | None:
    """Say a country."""
    code = _named("country", text, language)
    if code is None:
        return None
    # A longer name is one that the reader of countries knows, or refuses as that of several.
    return code if len(code) > 2 else countries()[code]["name"]


def place(text: str, language: Language) -> str | None:
    """Say a city or a country.

    Raises:
        UnreadError: if it is the name of a large city and of another place: Granada, Grenada in Spanish.
    """
    found = _named("city", text, language) or country(text, language)
    same = cities().get(fold(text), ()) if text.isascii() or found is None else ()
    if found is None:
        return text if same and text[:1].isupper() else None
    if same and same[0].population >= _LARGE and fold(found) not in (fold(text), fold(same[0].name)):
        raise UnreadError(f"{text!r} can be {found} or {same[0].label}: say it in English.")
    return found


def day(text: str, language: Language) -> str | None:
    """Say a date, with the month in words or in figures, or a day such as today."""
    if (named := _named("date", text, language)) is not None:
        return named
    if _DAY.fullmatch(text):
        return text
    if match := _COUNTED_DAY.fullmatch(text):
        year, month, date = match.groups()
        return f"{year}-{int(month):02}-{int(date):02}"
    months = "|".join(re.escape(name) for name in sorted(language.names["month"], key=len, reverse=True))
    year = rf" ?,? ?{_LINKS}([0-9]{{4}})?(?: ?г\.?| года)?"
    match = re.fullmatch(rf"([0-9]{{1,2}})(?:\.|º|er|°)? ?{_LINKS}({months}){year}", folded(text))
    if match is None:
        return None
    return f"{match[1]} {language.names['month'][match[2]]} {match[3] or ''}".strip()


def quantity(text: str, language: Language) -> str | None:
    """Say a number with a unit."""
    match = re.match(r"-?[0-9]+(?:[.,  ][0-9]+)*", text)
    if match is None:
        one = re.match(language.settings.get("one", "(?!)"), folded(text))
        named = unit(text[one.end() :].strip(), language) if one else None
        return named and f"1 {named}"
    named = unit(text[match.end() :].strip(), language)
    value = number(match.group(), language) if named else None
    return value and f"{value} {named}"


def worded_quantity(text: str, language: Language) -> str | None:
    """Say a number with a unit in words that are not English too: 1,500 m is another length in English."""
    word = folded(text).lstrip("-0123456789., ")
    return None if word in _SYMBOLS or word == _named("unit", word, language) else quantity(text, language)


def unit(text: str, language: Language) -> str | None:
    """Say a unit.

    Raises:
        UnreadError: if the word is that of several units.
    """
    found = _named("unit", text, language) or (text if text.lower() in _SYMBOLS else None)
    if found is not None and found.startswith("?"):
        raise UnreadError(f"{text!r} can be{found[1:]}: say which.")
    return found


def variable(text: str, language: Language) -> str | None:
    """Say a variable."""
    return text if re.fullmatch(r"[a-z]", text) else None


def compound(text: str, language: Language) -> str | None:
    """Say a chemical formula, which is the same in all languages."""
    return text if re.fullmatch(r"[A-Z][A-Za-z0-9()]*", text) else None


SLOTS: Mapping[str, Callable[[str, Language], str | None]] = {
    "f": formula, "n": number, "p": percentage, "b": binding, "list": numbers, "country": country,
    "place": place, "d": day, "q": quantity, "w": worded_quantity, "u": unit, "v": variable, "c": compound,
}  # fmt: skip
"""What a slot of a frame may hold; a number may follow the name."""


def _is_of_formulas(word: str) -> bool:
    return word in _OF_FORMULAS or (len(word) == 1 and word.isascii())


def _numbers(text: str, language: Language) -> str:
    text = _SPACED.sub(lambda match: match.group().replace(" ", ""), text)
    return _NUMBER.sub(lambda match: _number(match.group(), language), text)


def _number(text: str, language: Language) -> str:
    """Write a number as in English.

    Raises:
        UnreadError: if it can be read in two ways.
    """
    signs = re.sub(r"[0-9]", "", text)
    parts = re.split(r"[.,]", text)
    if not signs or language.settings["decimal"] == "point":
        return _THOUSANDS.sub("", text)
    grouped = all(len(part) == 3 for part in parts[1:]) and 1 <= len(parts[0]) <= 3 and parts[0] != "0"
    if len(signs) == 1 and not grouped:
        return ".".join(parts)
    if len(set(signs)) == 1 and len(signs) > 1 and grouped:
        return "".join(parts)
    if len(set(signs)) == 2 and signs.count(signs[-1]) == 1 and all(len(part) == 3 for part in parts[1:-1]):
        return f"{''.join(parts[:-1])}.{parts[-1]}"
    if signs == "." and parts[1] == "000" and language.settings.get("thousands") == "point":
        return "".join(parts)
    raise UnreadError(f"{text!r} can be read in two ways: write it without a sign for thousands.")


def _named(kind: str, text: str, language: Language) -> str | None:
    """Look up a name, with its article or its ending where the language has them."""
    names, plain = language.names[kind], folded(text).strip()
    if plain in names:
        return names[plain]
    for ending in language.settings.get("endings", "").split("|"):
        stem = re.sub(rf"(?:{ending})$", "", plain) if ending else plain
        if stem != plain and stem in names:
            return names[stem]
    return None


@cache
def _all_names() -> dict[str, dict[str, dict[str, str]]]:
    """Read what CLDR calls things, by language, kind and folded name."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for line in gzip.decompress((_NAMES).read_bytes()).decode().splitlines():
        language, kind, name, value = line.split("\t")
        kinds = found.setdefault(language, {one: {} for one in KINDS})
        for spelling in (folded(name), folded(name).replace(_NUKTA, "")):
            kinds[kind].setdefault(spelling, value)
    return found


def _names(language: str) -> dict[str, dict[str, str]]:
    """Return the names of a language; a name that two countries share is said as it is in English."""
    names = _all_names()[language]
    shared = {name: name.title() for name in NOT_ONE} | dict.fromkeys(_CONGO, "Congo")
    countries, cities = (_inflected(language, names[kind]) for kind in ("country", "city"))
    return names | {"country": countries | shared, "city": cities}


def _inflected(language: str, names: dict[str, str]) -> dict[str, str]:
    """Add the cases of names that Russian has in questions."""
    if language != "ru":
        return dict(names)
    found = dict(names)
    for name, value in names.items():
        for ending, others in _RUSSIAN:
            if " " not in name and name.endswith(ending):
                for other in others.split():
                    found.setdefault(name[: len(name) - len(ending)] + other, value)
                break
    return found
