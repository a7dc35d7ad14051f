"""Find texts that must not be trained on: near duplicates, and leaks of evaluation rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from agents.errors import InputError
from training.rows.labelled_rows import read_files

_NEAR = 0.7  # ROUGE-L above which Self-Instruct drops a text (arXiv 2212.10560)
_RUN = 13  # words in a row that two independent texts do not share (Brown et al. 2020, arXiv 2005.14165)
# A word, or one character of a script that is written without spaces.
_TOKEN = re.compile(r"[぀-ヿ一-鿿가-힯]|[^\W_]+")


class NearDuplicates:
    """Collect texts, and find those that say the same in nearly the same words.

    A comparison is quadratic, but is skipped for texts that share too few words to be close.
    """

    def __init__(self) -> None:
        self._texts: list[tuple[list[str], Counter[str]]] = []

    def has(self, text: str) -> bool:
        """Tell whether the ROUGE-L F-measure of `text` with a collected one is above 0.7."""
        words = _TOKEN.findall(text.casefold())
        counts = Counter(words)
        return any(_close(words, counts, other, bag) for other, bag in self._texts)

    def add(self, text: str) -> None:
        """Collect `text`."""
        words = _TOKEN.findall(text.casefold())
        self._texts.append((words, Counter(words)))


def _close(words: list[str], counts: Counter[str], other: list[str], bag: Counter[str]) -> bool:
    total = len(words) + len(other)
    if total == 0:
        return True
    # The common subsequence is no longer than the common bag of words.
    if 2 * (counts & bag).total() <= _NEAR * total:
        return False
    return 2 * _longest_common(words, other) > _NEAR * total


def _longest_common(first: list[str], second: list[str]) -> int:
    """Return the length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for word in first:
        before = 0
        for k, own in enumerate(second, 1):
            above = row[k]
            row[k] = before + 1 if word == own else max(above, row[k - 1])
            before = above
    return row[-1]


class Leaks:
    """Find the texts that evaluation rows are made of.

    A text leaks if it shares 13 words in a row with an evaluation text, or contains a shorter one whole.

    Args:
        texts: of the evaluation.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._runs = {run for text in texts for run in _runs(text)}
        self._lengths = {len(run) for run in self._runs}

    def found(self, text: str) -> str | None:
        """Return the words that `text` shares with the evaluation, or None."""
        words = _words(text)
        for length in self._lengths:
            for start in range(len(words) - length + 1):
                run = tuple(words[start : start + length])
                if run in self._runs:
                    return " ".join(run)
        return None


def evaluation_texts(paths: Sequence[Path]) -> Iterator[str]:
    """Yield the question of each evaluation row: its `query`, `question` or `prompt`.

    Raises:
        InputError: a row has none of them.
    """
    for place, row in read_files(paths):
        text = next((row[name] for name in ("query", "question", "prompt") if name in row), None)
        if not isinstance(text, str):
            raise InputError(f"{place}: no query, question or prompt to keep out of training.")
        yield text


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    """Yield all runs of 13 words, or the whole of a shorter text."""
    words = _words(text)
    for start in range(max(1, len(words) - _RUN + 1)):
        if run := tuple(words[start : start + _RUN]):
            yield run
