"""The words of a question: those that ask for a function, those that cue a parameter, and filler."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from tools.declaration import ToolFunction
from tools.lexer import tokenize
from tools.reading.stream import Mention, Stream
from tools.registry import SUBJECTS, functions

_BESIDE = frozenset(
    {"the", "a", "an", "is", "are", "of", "point", "value", "about", "exactly", ":", "=", "be"}
)
_UNCLEAR = frozenset(
    [
        "not",
        "no",
        "never",
        "without",
        "except",
        "excluding",
        "unless",
        "half",
        "twice",
        "double",
        "triple",
        "per",
        "every",
        "each",
        "only",
        "more",
        "less",
        "than",
        "other",
        "another",
        "both",
        "neither",
        "nor",
        "but",
        "however",
        "although",
        "next",
        "last",
        "previous",
        "before",
        "after",
        "until",
        "since",
        "if",
    ]
)


@cache
def filler() -> frozenset[str]:
    """Words that change no meaning."""
    return frozenset(Path(__file__).with_name("filler.txt").read_text(encoding="utf-8").split())


@cache
def phrase(text: str) -> tuple[str, ...]:
    """The words of a declared phrase, cut as a question is."""
    return tuple(token.text.lower() for token in tokenize(text))


@cache
def _lexicon() -> frozenset[str]:
    """Words that are spelled as they should be: `decrease` is no slip for `increase`."""
    return filler().union(_UNCLEAR, *(vocabulary(function) for function in functions(*SUBJECTS)))


@cache
def vocabulary(function: ToolFunction) -> frozenset[str]:
    """All words that may stand in a question for this function beside its data and filler."""
    cues = [
        text for parameter in function.parameters for text in (*parameter.cue.before, *parameter.cue.after)
    ]
    return frozenset(word for text in (*function.asks, *function.words, *cues) for word in phrase(text))


def counts(function: ToolFunction, words: tuple[str, ...]) -> bool:
    """Whether these words, which ask for a count, stand in a declared phrase of the function."""
    declared = (phrase(text) for text in (*function.asks, *function.words))
    return any(one[: len(words)] == words for one in declared)


def asks_for(stream: Stream, function: ToolFunction) -> bool:
    """Whether one of the function's phrases stands in the question, filler between its words or not."""
    return not function.asks or any(_stands(stream, phrase(text)) for text in function.asks)


def cue_length(stream: Stream, mention: Mention, cues: tuple[str, ...]) -> int:
    """How many words the longest of these cues has that stands directly before the mention; 0 for none."""
    end = mention.first
    while True:
        for words in sorted(map(phrase, cues), key=len, reverse=True):
            first = end - len(words)
            if first >= 0 and tuple(stream.lower[first:end]) == words:
                return len(words)
        if end == 0 or stream.lower[end - 1] not in _BESIDE:
            return 0
        end -= 1


def trailing_cue_length(stream: Stream, mention: Mention, cues: tuple[str, ...]) -> int:
    """The same for cues that stand directly after the mention."""
    for words in sorted(map(phrase, cues), key=len, reverse=True):
        if tuple(stream.lower[mention.end : mention.end + len(words)]) == words:
            return len(words)
    return 0


@lru_cache(maxsize=1 << 16)
def is_spelled_like(word: str, known: str) -> bool:
    """Whether a word is a known one with a slip: one edit from 5 letters on, two from 8 on."""
    if word == known:
        return True
    allowed = 2 if len(known) >= 8 else 1 if len(known) >= 5 else 0
    if not allowed or abs(len(word) - len(known)) > allowed:
        return False
    return _edits(word, known) <= allowed and word not in _lexicon()


def understood(word: str, known: frozenset[str]) -> bool:
    """Whether a word is one of these, filler, or either with a slip of the pen in a known one."""
    return word in filler() or word in known or any(is_spelled_like(word, one) for one in known)


def _stands(stream: Stream, words: tuple[str, ...]) -> bool:
    return any(_stands_at(stream, index, words) for index in range(len(stream)))


def _stands_at(stream: Stream, index: int, words: tuple[str, ...]) -> bool:
    if not is_spelled_like(stream.lower[index], words[0]):
        return False
    position = index + 1
    for word in words[1:]:
        while position < len(stream) and not is_spelled_like(stream.lower[position], word):
            if stream.lower[position] not in filler():
                return False
            position += 1
        if position == len(stream):
            return False
        position += 1
    return True


def _edits(left: str, right: str) -> int:
    """Damerau-Levenshtein distance (optimal string alignment): a swap of neighbours is one edit."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        older, before, row = before, row, [i]
        for j, b in enumerate(right, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
