"""Know the words of questions: those of a function, those that ask for it, and filler.

Ours, because a spelling corrector guesses: here a slip is forgiven in a word of the function only, and never
where the slip is another word ("decrease" for "increase").
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from tools.declaration import ToolFunction
from tools.lexer import cut
from tools.reading.query import TokenizedQuery
from tools.registry import SUBJECTS, functions

_UNCLEAR = frozenset(
    "not no never without except excluding unless half twice double triple per every each only more less "
    "than other another both neither nor but however although next last previous before after until since "
    "if factorial".split()
)

_AT_THE_BEGINNING = "^"
_OPENINGS = frozenset("hi hello hey please so ok okay and , . !".split())


@cache
def filler() -> frozenset[str]:
    """Return the words that change no meaning."""
    return frozenset(Path(__file__).with_name("filler.txt").read_text(encoding="utf-8").split())


@cache
def lexicon() -> frozenset[str]:
    """Return the words that are spelled as they should be: `decrease` is no slip for `increase`."""
    return filler().union(_UNCLEAR, *(vocabulary(function) for function in functions(*SUBJECTS)))


@cache
def vocabulary(function: ToolFunction) -> frozenset[str]:
    """Return all words that may stand in a question for this function beside its data and filler."""
    cues = [part for one in function.parameters for part in (one.cue.before, one.cue.after)]
    declared = (function.asks, function.words, *cues)
    return frozenset(word for phrases in declared for words in cut(phrases) for word in words)


def counts(function: ToolFunction, words: tuple[str, ...]) -> bool:
    """Return whether these words, which ask for a count, begin a declared phrase of the function."""
    return any(one[: len(words)] == words for one in (*cut(function.asks), *cut(function.words)))


def asks_for(query: TokenizedQuery, function: ToolFunction) -> bool:
    """Return whether a phrase of the function stands in the question, filler between its words or not."""
    firsts = first_words(function)
    if not firsts:
        return True
    there = first_words_in(query.vocabulary)
    if firsts.isdisjoint(there):
        return False
    return any(_stands(query, words) for words in cut(function.asks) if _first(words) in there)


@cache
def first_words(function: ToolFunction) -> frozenset[str]:
    """Return the words with which the phrases that ask for a function begin."""
    return frozenset(_first(words) for words in cut(function.asks))


def _first(words: tuple[str, ...]) -> str:
    return words[words[0] == _AT_THE_BEGINNING]


@lru_cache(maxsize=1024)
def strange_words(words: frozenset[str]) -> frozenset[str]:
    """Return the words of letters that are no word of any function and no filler."""
    return frozenset(word for word in words - lexicon() if len(word) > 1 and word.isalpha())


@lru_cache(maxsize=1024)
def first_words_in(words: frozenset[str]) -> frozenset[str]:
    """Return the words, and the first words of phrases that they may be with a slip."""
    return words.union(*(_meant(word) for word in strange_words(words) if len(word) >= 4))


@lru_cache(maxsize=1 << 14)
def _meant(word: str) -> frozenset[str]:
    """Return the first words of any function's phrases that `word` is with a slip."""
    return frozenset(one for one in _all_first_words() if is_spelled_like(word, one))


@cache
def _all_first_words() -> frozenset[str]:
    return frozenset().union(*(first_words(function) for function in functions(*SUBJECTS)))


@lru_cache(maxsize=1 << 16)
def is_spelled_like(word: str, known: str) -> bool:
    """Return whether a word is a known one with a slip: one edit from 5 letters on, two from 8 on."""
    if word == known:
        return True
    allowed = 2 if len(known) >= 8 else 1 if len(known) >= 5 else 0
    if not allowed or abs(len(word) - len(known)) > allowed:
        return False
    if len(set(word) ^ set(known)) > 2 * allowed:  # each edit changes two letters at most
        return False
    return edits(word, known) <= allowed and word not in lexicon()


def is_slip(word: str, known: frozenset[str]) -> bool:
    """Return whether a word is one of these with a slip."""
    return any(is_spelled_like(word, one) for one in known)


def _stands(query: TokenizedQuery, words: tuple[str, ...]) -> bool:
    if words[0] == _AT_THE_BEGINNING:
        first = next((index for index, word in enumerate(query.words) if word not in _OPENINGS), 0)
        return _stands_at(query, first, words[1:])
    return any(_stands_at(query, index, words) for index in range(len(query.tokens)))


def _stands_at(query: TokenizedQuery, index: int, words: tuple[str, ...]) -> bool:
    if not is_spelled_like(query.words[index], words[0]):
        return False
    position = index + 1
    for word in words[1:]:
        while position < len(query.tokens) and not is_spelled_like(query.words[position], word):
            if query.words[position] not in filler():
                return False
            position += 1
        if position == len(query.tokens):
            return False
        position += 1
    return True


def edits(left: str, right: str) -> int:
    """Count edits (optimal string alignment): a swap of neighbours is one."""
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
