"""Know the words of speaking acts, in each language of `speech.txt`: thanks, greetings, "explain that"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

_MOST_UNITS = 25
_UNSPACED = frozenset({"zh", "ja"})
_JOINED = _UNSPACED | {"ko", "hi", "ar"}  # words take endings, or begin in the middle of others
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_RUN = re.compile(r"([^\W\d_])\1+")
_SECTION = re.compile(r"^\[(\w+) (\w+)\]\n([^\[]*)", re.MULTILINE)
_MISTYPED = {
    "courtesy": "thanks thank hello morning please sorry great goodbye perfect awesome",
    "speech": "thanks thank hello morning please sorry great goodbye perfect awesome explain elaborate"
    " repeat really "
    "continue summarize translate shorter understand",
}


class _Phrases(NamedTuple):
    """Hold a language's speech, what may stand beside it, slips of it, its longest phrase, what joins"
    " units."""

    speech: frozenset[str]
    beside: frozenset[str]
    slips: frozenset[str]
    longest: int
    joint: str


def folded(text: str) -> str:
    """Return small letters without accents, in composed form: what people write in a hurry."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(sign for sign in apart if not "\u0300" <= sign <= "\u036f")
    return unicodedata.normalize("NFC", kept).replace("’", "'").replace("đ", "d")


def says_only(plain: str, kind: Literal["courtesy", "speech"]) -> bool:
    """Return whether the words of one language's courtesies, or of all its speech, make up a folded text."""
    words = [_once(word) for word in _WORD.findall(plain)]
    if not words or len(words) > _MOST_UNITS:
        return False
    signs = list("".join(words))
    for language in _sections():
        if language in _UNSPACED and plain.isascii():
            continue
        units = signs if language in _UNSPACED else words
        strict = language != "en" or kind == "courtesy"  # "which one?" needs no word of speech
        if len(units) <= _MOST_UNITS and _covers(units, _phrases(language, kind), strict=strict):
            return True
    return False


@cache
def asking_for_words() -> re.Pattern[str]:
    """Return a pattern of the phrases that ask for an explanation in languages other than English."""
    spaced: list[str] = []
    unspaced: list[str] = []
    for language, section in _sections().items():
        phrases = [re.escape(one) for one in _split(section.get("explains", ""))]
        (unspaced if language in _JOINED else spaced).extend(phrases)
    return re.compile(rf"\b(?:{'|'.join(spaced)})\b|{'|'.join(unspaced)}")


def _covers(units: list[str], phrases: _Phrases, *, strict: bool) -> bool:
    """Return whether phrases cover the units, at least one of them of speech where `strict`."""
    reached: dict[int, set[bool]] = {0: {not strict}}
    for start in range(len(units)):
        spoken = reached.pop(start, None)
        if spoken is None:
            if not reached:
                return False
            continue
        for end in range(start + 1, min(start + phrases.longest, len(units)) + 1):
            phrase = phrases.joint.join(units[start:end])
            if phrase in phrases.speech:
                reached.setdefault(end, set()).add(True)
            elif phrase in phrases.beside:
                reached.setdefault(end, set()).update(spoken)
            elif end == start + 1 and phrases.slips and not phrases.slips.isdisjoint(_shortened(phrase)):
                reached.setdefault(end, set()).add(True)
    return True in reached.get(len(units), ())


@cache
def _phrases(language: str, kind: str) -> _Phrases:
    section = _sections()[language]
    joint = "" if language in _UNSPACED else " "
    said = [*_split(section["courtesy"]), *(_split(section["dialogue"]) if kind == "speech" else ())]
    units = [[_once(word) for word in _WORD.findall(phrase)] for phrase in said]
    speech = frozenset(joint.join(one) for one in units)
    beside = section["beside"] if kind == "speech" else section.get("between", "")
    longest = max(len(one) if joint else len("".join(one)) for one in units)
    slips = _MISTYPED[kind].split() if language == "en" else ()
    return _Phrases(
        speech,
        frozenset(_once(word) for word in beside.split()),
        frozenset(one for word in slips for one in _shortened(_once(word))),
        longest,
        joint,
    )


@cache
def _sections() -> Mapping[str, Mapping[str, str]]:
    """Return the text of each kind, by language."""
    text = Path(__file__).with_name("speech.txt").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for language, kind, said in _SECTION.findall(text):
        found.setdefault(language, {})[kind] = said
    return found


def _split(said: str) -> list[str]:
    return [one for one in re.split(r",\s*", said.strip()) if one]


def _shortened(word: str) -> set[str]:
    """Return a word, and it without one letter: two that share one are about one edit apart."""
    return {word, *(word[:k] + word[k + 1 :] for k in range(len(word)))}


def _once(word: str) -> str:
    """Return a word with each run of a letter as one: "thaaanks", "helloo"."""
    return _RUN.sub(r"\1", word)
