"""Tell which language a text is in, English where in doubt, and say things to people in theirs.

By script, and by closed-class words: they are few, frequent, and told apart at once. Statistical detectors
need a sentence; they take three words, a name or a formula for any language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

ENGLISH = "en"
DATA = Path(__file__).parent / "languages.json"

Sentence = Literal["say_more", "nobody", "no_model", "unsure", "install"]

_LONGEST = 600  # characters that are read: a language shows early
_LEAST = 1.0  # score from which a text is in another language
_DOUBTFUL = 0.35  # of a word of English texts, names and formulas too, with no clear word beside it
_MARKED = 0.4  # of a word for which only its letters speak
_A_WORD = 1.8  # letters that make a word where no spaces are written

_SCRIPTS = {
    "zh": "\u3400-\u9fff\uf900-\ufaff",
    "ja": "\u3041-\u30fa\u31f0-\u31ff",
    "ko": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "ru": "\u0400-\u04ff",
    "ar": "\u0600-\u06ff\u0750-\u077f",
    "he": "\u0590-\u05ff",
    "hi": "\u0900-\u097f",
    "bn": "\u0980-\u09ff",
    "ta": "\u0b80-\u0bff",
    "te": "\u0c00-\u0c7f",
    "th": "\u0e00-\u0e7f",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "hy": "\u0530-\u058f",
    "ka": "\u10a0-\u10ff",
    "am": "\u1200-\u137f",
}
_UNSPACED = {"zh", "ja", "th"}
_SYMBOLS = {"el", "ru"}  # whose single letters are symbols
# Letters by which languages of one script differ.
_LETTERS = {
    "ru": {"ru": "ыэё", "uk": "іїєґ", "bg": "ъщ", "mk": "ѓќѕј", "sr": "ђћјљњ"},
    "ar": {"ur": "ٹڈڑںے", "fa": "پچژگی"},
}
_SCRIPT = {name: re.compile(f"[{letters}]+") for name, letters in _SCRIPTS.items()}
_OTHER_SCRIPT = re.compile(f"[{''.join(_SCRIPTS.values())}]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
# Code, addresses, calls, identifiers, TeX and abbreviations are in no language.
_NO_LANGUAGE = re.compile(
    r"```.*?(?:```|\Z)|`[^`]*`|https?://\S+|\S+@\S+|\b\w+\(|\b\w*[_\d]\w*\b|\\\w+|\b[A-Z]+\b|\w+/\w+", re.S
)


@dataclass(frozen=True)
class _Data:
    """Hold what `languages.json` says: the languages of each word, their own letters, doubtful words."""

    words: Mapping[str, Sequence[str]]
    letters: Mapping[str, Sequence[str]]
    doubtful: frozenset[str]
    sentences: Mapping[str, Mapping[str, str]]


@cache
def _data() -> _Data:
    stored = json.loads(DATA.read_text(encoding="utf-8"))
    words: dict[str, list[str]] = {}
    letters: dict[str, list[str]] = {}
    for name, language in stored["languages"].items():
        for word in " ".join(language["words"]).split():
            words.setdefault(word, []).append(name)
        for letter in language.get("letters", ""):
            letters.setdefault(letter, []).append(name)
    return _Data(words, letters, frozenset(" ".join(stored["doubtful"]).split()), stored["sentences"])


def language_of(text: str) -> str:
    """Return the language of `text` as ISO 639-1; "en" where in doubt. Some hundred microseconds at most.

    Names, formulas and code are in no language, and a foreign word quoted in an English sentence is English.
    """
    return _language_of(text[:_LONGEST])


@lru_cache(maxsize=256)
def _language_of(text: str) -> str:
    text = text.replace("’", "'")
    if text.isupper():  # else capitals are abbreviations
        text = text.lower()
    scores = _word_scores(_WORD.findall(_NO_LANGUAGE.sub(" ", text)))
    if _OTHER_SCRIPT.search(text):
        scores |= _script_scores(text.lower(), scores)
    english = scores.pop(ENGLISH, 0.0)
    best = max(scores, key=lambda name: scores[name], default=ENGLISH)
    return best if scores.get(best, 0.0) >= max(_LEAST, english + 0.01) else ENGLISH


def sentence(which: Sentence, language: str, **parts: str) -> str:
    """Return a sentence for people in `language`, in English where we have it in no other.

    Args:
        which: `say_more` about the question; `nobody` of the workers fits; `no_model` is connected that could
            answer; `unsure` between {first} and {second}; `install`: with {install} it reads other languages.
        language: ISO 639-1.
        parts: what the sentence names.
    """
    sentences = _data().sentences
    return sentences.get(language, sentences[ENGLISH])[which].format(**parts)


def _word_scores(words: Sequence[str]) -> dict[str, float]:
    """Return what words say for each language; doubtful ones count in full beside a clear one."""
    data = _data()
    clear: dict[str, float] = {}
    doubtful: dict[str, set[str]] = {}
    for lower in map(str.lower, words):
        languages = _languages(lower, data)
        shared = ENGLISH in languages and len(languages) > 1
        weak = shared or lower in data.doubtful
        for language in languages:
            if weak and language != ENGLISH:
                doubtful.setdefault(language, set()).add(lower)
            else:
                clear[language] = clear.get(language, 0.0) + (0.5 if shared else 1.0)
        if not languages and not lower.isascii():
            for language in {name for letter in lower for name in data.letters.get(letter, ())}:
                clear[language] = clear.get(language, 0.0) + _MARKED
    return clear | {
        name: clear[name] + len(some) if name in clear else min(_LEAST, _DOUBTFUL * len(some))
        for name, some in doubtful.items()
    }


def _languages(word: str, data: _Data) -> Sequence[str]:
    start, mark, _ = word.partition("'")
    return data.words.get(word) or (data.words.get(start + mark, ()) if mark else ())


def _script_scores(text: str, said: Mapping[str, float]) -> dict[str, float]:
    """Return how many words are in each other script, for the likeliest language of that script."""
    scores: dict[str, float] = {}
    for script, letters in _SCRIPT.items():
        runs = letters.findall(text)
        unspaced, least = script in _UNSPACED, 2 if script in _SYMBOLS else 1
        count = sum(map(len, runs)) / _A_WORD if unspaced else sum(len(run) >= least for run in runs)
        if count:
            scores[_of_script(script, text, said)] = count
    if "ja" in scores:  # Japanese is written with Chinese characters too
        scores["ja"] += scores.pop("zh", 0)
    return scores


def _of_script(script: str, text: str, said: Mapping[str, float]) -> str:
    candidates = {
        name: said.get(name, 0.0) + _MARKED * sum(map(text.count, letters))
        for name, letters in _LETTERS.get(script, {}).items()
    }
    best = max(candidates, key=lambda name: candidates[name], default=script)
    return best if candidates.get(best) else script
