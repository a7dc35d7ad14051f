"""Texts that say the same in nearly the same words: ROUGE-L above 0.7, as in Self-Instruct (2212.10560)."""

from __future__ import annotations

import re
from collections import Counter

_LIMIT = 0.7
# A word, or one character of a script that is written without spaces.
_TOKEN = re.compile(r"[぀-ヿ一-鿿가-힯]|[^\W_]+")


class NearDuplicates:
    """The texts so far; quadratic, but for those that share too few words to be close."""

    def __init__(self) -> None:
        self._texts: list[tuple[list[str], Counter[str]]] = []

    def has(self, text: str) -> bool:
        """Whether a text is there whose ROUGE-L F-measure with `text` is above 0.7."""
        words = _tokens(text)
        counts = Counter(words)
        return any(self._close(words, counts, other, bag) for other, bag in self._texts)

    def add(self, text: str) -> None:
        """Keep `text`."""
        words = _tokens(text)
        self._texts.append((words, Counter(words)))

    @staticmethod
    def _close(words: list[str], counts: Counter[str], other: list[str], bag: Counter[str]) -> bool:
        total = len(words) + len(other)
        if total == 0:
            return True
        # The common subsequence is no longer than the common bag of words.
        if 2 * (counts & bag).total() <= _LIMIT * total:
            return False
        return 2 * _longest_common(words, other) > _LIMIT * total


def _longest_common(first: list[str], second: list[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for word in first:
        before = 0
        for k, own in enumerate(second, 1):
            above = row[k]
            row[k] = before + 1 if word == own else max(above, row[k - 1])
            before = above
    return row[-1]


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.casefold())
