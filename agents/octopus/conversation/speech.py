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
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_SECTION = re.compile(r"^\[(\w+) (\w+)\]\n([^\[]*)", re.MULTILINE)
# Words in which letters are often swapped; other slips stand in the file.
_SWAPPED = "thanks thank hello morning please sorry great explain repeat really continue translate understand"


class _Phrases(NamedTuple):
    """Hold a language: its phrases, the words beside them, how one begins, the longest, what joins units."""

    speech: frozenset[str]
    beside: frozenset[str]
    starts: frozenset[str]
    longest: int
    joint: str


def folded(text: str) -> str:
    """Return small letters without accents, in composed form: what people write in a hurry."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(sign for sign in apart if not "\u0300" <= sign <= "\u036f")
    return unicodedata.normalize("NFC", kept).replace("’", "'").replace("đ", "d")


def says_only(plain: str, kind: Literal["courtesy", "speech"]) -> bool:
    """Return whether the words of one language's courtesies, or of all its speech, make up a folded text."""
    words = [_spelt(word) for word in _WORD.findall(plain)]
    if not words or len(words) > _MOST_UNITS:
        return False
    signs = list("".join(words))
    for language in _sections():
        if language in _UNSPACED and plain.isascii():
            continue
        units = signs if language in _UNSPACED else words
        phrases = _phrases(language, kind)
        if units[0] in phrases.starts and len(units) <= _MOST_UNITS and _covers(units, phrases):
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


def _covers(units: list[str], phrases: _Phrases) -> bool:
    """Return whether phrases cover the units, at least one of them of speech."""
    reached: dict[int, set[bool]] = {0: {False}}
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
    return True in reached.get(len(units), ())


@cache
def _phrases(language: str, kind: str) -> _Phrases:
    section = _sections()[language]
    joint = "" if language in _UNSPACED else " "
    said = [*_split(section["courtesy"]), *(_split(section["dialogue"]) if kind == "speech" else ())]
    units = [_WORD.findall(phrase) if joint else list("".join(_WORD.findall(phrase))) for phrase in said]
    beside = frozenset((section["beside"] if kind == "speech" else section.get("between", "")).split())
    starts = beside.union(one[0] for one in units)
    return _Phrases(frozenset(map(joint.join, units)), beside, starts, max(map(len, units)), joint)


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


def _spelt(word: str) -> str:
    """Return a word as it is spelt: "thaaanks" and "thnaks" are "thanks", "hellooo" is "hello"."""
    if _DRAWN_OUT.search(word):
        twice, once = _DRAWN_OUT.sub(r"\1\1", word), _DRAWN_OUT.sub(r"\1", word)
        word = twice if twice in _english() else once
    return _swapped().get(word, word)


@cache
def _english() -> frozenset[str]:
    section = _sections()["en"]
    return frozenset(
        word for kind in ("courtesy", "dialogue", "beside") for word in _WORD.findall(section[kind])
    )


@cache
def _swapped() -> dict[str, str]:
    """Return each word with two neighbouring letters swapped, and what was meant."""
    return {
        word[:k] + word[k + 1] + word[k] + word[k + 2 :]: word
        for word in _SWAPPED.split()
        for k in range(len(word) - 1)
    }
