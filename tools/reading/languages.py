"""Say a question of another language in English, where every word of it is known.

Ours, because a translator guesses. A file of `frames/` holds the frames of a language: whole questions with
slots for values. A question that fits one is said in English, and read there as strictly as any other; with
one word more it is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from tools.reading.normal import normalised
from tools.reading.query import UnreadError
from tools.reading.slots import KINDS, SLOTS, Language, folded

_FOLDER = Path(__file__).with_name("frames")
_MOST_CHARACTERS = 200
_SLOT = re.compile(r"\{(\w+)\}")
_ENGLISH = {"plus", "minus"}
_ENDS = " \t\n.,;:!?¿¡…"


@dataclass(frozen=True)
class Frame:
    """Hold a question of a language.

    Attributes:
        english: the question in English, with its slots.
        pattern: the question in the language, folded, as a regular expression with its slots.
        anchors: texts of which one must stand in the question; looked for first, since that is cheap.
        language: the language.
    """

    english: str
    pattern: str
    anchors: tuple[str, ...]
    language: Language


@lru_cache(maxsize=1024)
def in_english(text: str) -> str:
    """Return a question in English if it is one of another language that is known in full, else as it is.

    Raises:
        UnreadError: if a number or a list in it can be read in two ways.
    """
    if len(text) > _MOST_CHARACTERS:
        return text
    question = normalised(text).strip(_ENDS)
    plain = folded(question)
    for frame in _frames_in_ascii() if plain.isascii() else _frames():
        if any(anchor in plain for anchor in frame.anchors) and (said := _said(frame, question, plain)):
            return said
    return text


def _said(frame: Frame, question: str, plain: str) -> str | None:
    match = _compiled(frame.pattern, frame.language.settings.get("lead", "")).fullmatch(plain)
    if match is None:
        return None
    values: dict[str, str] = {}
    unclear: UnreadError | None = None
    for name in match.groupdict():
        held = question[slice(*match.span(name))].strip(" ,\"'")
        try:
            value = SLOTS[name.rstrip("0123456789")](held, frame.language)
        except UnreadError as error:
            unclear, value = error, ""
        if value is None:
            return None
        values[name] = value
    if unclear is not None:  # all the rest is of this language
        raise unclear
    return frame.english.format(**values)


@cache
def _compiled(pattern: str, lead: str) -> re.Pattern[str]:
    opening = rf"(?:(?:{lead})[ ,:!¿¡]*)?" if lead else ""
    return re.compile(opening + _SLOT.sub(r"(?P<\1>.+?)", pattern).replace(" ?", r"\s*").replace(" ", r"\s+"))


@cache
def _frames() -> tuple[Frame, ...]:
    return tuple(frame for path in sorted(_FOLDER.glob("*.txt")) for frame in _frames_of(path))


@cache
def _frames_in_ascii() -> tuple[Frame, ...]:
    """Return the frames that a text of ASCII may fit, half of them."""
    return tuple(frame for frame in _frames() if any(anchor.isascii() for anchor in frame.anchors))


def _frames_of(path: Path) -> Iterator[Frame]:
    """Read the file of a language: settings, names, then a question in English with those that mean it."""
    settings: dict[str, str] = {}
    own: dict[str, dict[str, str]] = {kind: {} for kind in (*KINDS, "words")}
    questions: list[tuple[str, str]] = []
    english = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("@"):
            kind, _, rest = line[1:].partition(" ")
            name, equals, value = rest.partition(" = ")
            if equals:
                own[kind].update(dict.fromkeys(map(folded, name.split("|")), value))
            else:
                settings[kind] = folded(rest)
        elif line.startswith(" "):
            questions.append((english, line.strip()))
        elif line and not line.startswith("#"):
            english = line
    language = Language(path.stem, settings, own)
    if settings.get("bare") != "no":  # a formula alone, with a word that is not English too
        yield Frame("what is {f}", "{f}", tuple(own["words"].keys() - _ENGLISH), language)
    for said, question in questions:
        pattern = re.sub(
            r"<(\w+)>", lambda match: f"({settings[match[1]]})".replace("_", " "), folded(question)
        )
        yield Frame(said, pattern.replace("(", "(?:"), _anchors(pattern), language)


def _anchors(pattern: str) -> tuple[str, ...]:
    """Return the longest text that a question of this pattern must have, or the alternatives of a group."""
    candidates: list[tuple[str, ...]] = [("",)]
    literal, index = "", 0
    while index < len(pattern):
        end, optional = index, pattern[index + 1 : index + 2] == "?"
        if pattern[index] in "({":
            end = _closing(pattern, index)
            optional, inner = pattern[end + 1 : end + 2] == "?", pattern[index + 1 : end]
            if pattern[index] == "(" and not optional and not set("(?{").intersection(inner):
                candidates.append(tuple(inner.split("|")))
        if end > index or optional:
            candidates.append((literal.strip(),))
            literal = ""
        else:
            literal += pattern[index]
        index = end + 1 + optional
    candidates.append((literal.strip(),))
    return max(candidates, key=lambda texts: min(map(len, texts)))


def _closing(pattern: str, index: int) -> int:
    """Find the bracket that closes the one at an index."""
    depth = 0
    for end in range(index, len(pattern)):
        depth += (pattern[end] in "({") - (pattern[end] in ")}")
        if depth == 0:
            return end
    raise ValueError(f"A bracket of {pattern!r} is not closed.")
