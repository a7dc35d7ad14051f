"""Cut formulas and the text around them into tokens that know their place in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

TokenKind = Literal["number", "name", "operator", "superscript", "other"]

_LETTER = r"[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u03ff]"
# Digits are 0-9 alone: `\d` would take the digits of every script.
_TOKEN = re.compile(
    rf"""(?P<literal>0[xX][0-9a-fA-F]+(?!\w)|0[bB][01]+(?!\w)|0[oO][0-7]+(?!\w))
    |(?P<number>(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+(?![0-9]|,[0-9])|[0-9]+)(?:\.[0-9]+)?
                    (?:[eE][+-]?[0-9]+(?![\w.]))?|\.[0-9]+(?![\w.]))
    |(?P<name>log(?:_?(?:2|10)|₂|₁₀)(?=\s*\()|{_LETTER}+(?:['’]{_LETTER}+)*)
    |(?P<superscript>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)
    |(?P<operator>\*\*|->|→|[-+*/^=()|!√×·⋅÷−–—])
    |(?P<other>\S)""",
    re.VERBOSE,
)
_CANONICAL = {
    "**": "^", "×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-", "—": "-", "→": "->",
    "√": "sqrt", "π": "pi",
    "∞": "oo", "∫": "integral", "log_2": "log2", "log₂": "log2", "log_10": "log10", "log₁₀": "log10",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


@dataclass(frozen=True, slots=True)
class Token:
    """Hold a token: its kind, its canonical text, and where it stands in the source (`end` is exclusive)."""

    kind: TokenKind
    text: str
    start: int
    end: int


def tokenize(text: str) -> tuple[Token, ...]:
    """Return the tokens of any text, in order. Every character but white space is in exactly one."""
    return tuple(_token(match) for match in _TOKEN.finditer(text))


@cache
def cut(phrases: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Cut declared phrases into words in lower case, as a question is cut; return the longest first."""
    words = (tuple(token.text.lower() for token in tokenize(phrase)) for phrase in phrases)
    return tuple(sorted(words, key=len, reverse=True))


def _token(match: re.Match[str]) -> Token:
    text, kind = match.group(), match.lastgroup
    if kind == "literal":  # hexadecimal, binary or octal, as in programs
        text, kind = str(int(text, 0)), "number"
    elif kind == "superscript":
        text = text.translate(_SUPERSCRIPTS)
    elif kind == "number":
        text = text.replace(",", "")
    else:
        text = _CANONICAL.get(text, text)
        if text.isalpha():  # a sign that stands for a word
            kind = "name"
    return Token(kind, text, *match.span())  # type: ignore[arg-type]
