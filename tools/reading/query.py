"""Hold the tokens of a question, and which of them readers have understood.

A tokenizer of ours: one that splits for language models or for search tells neither where a token stands in
the text nor that nothing of the text was lost, and here every sign must be accounted for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.lexer import Token, tokenize
from tools.reading.normal import normalised

MAX_CHARACTERS = 2_000
_PADDING = 8


class UnreadError(ValueError):
    """Report that the arguments of a function cannot be taken from a question without guessing."""


class NotAskedError(UnreadError):
    """Report that the question does not ask for this function at all."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Describe a value in the question.

    Attributes:
        kind: what it is, such as `formula`, `binding`, `list`; see the readers.
        value: as the reader gives it.
        first: the index of its first token.
        end: the index after its last one.
    """

    kind: str
    value: Any
    first: int
    end: int


class TokenizedQuery:
    """Hold the tokens of a question; readers take them as mentions or as understood words.

    Attributes:
        text: the question in its normal form.
        now: the present moment, with its zone.
        tokens: its tokens, in order.
        words: the tokens' texts in lower case, and some empty words behind them: what a reader looks up
            beside a token, such as `words[index + 1]` or `words[index - 1]`, is there or is empty.
        taken: whether each token is accounted for.
        mentions: what the readers have taken.

    Raises:
        UnreadError: if the text is too long or has a NUL character.
    """

    def __init__(self, text: str, now: datetime | None = None) -> None:
        if len(text) > MAX_CHARACTERS:
            raise UnreadError(
                f"The question has {len(text)} characters; tools read at most {MAX_CHARACTERS}."
            )
        if "\0" in text:
            raise UnreadError("The question contains a NUL character.")
        self.text = normalised(text)
        self.now = now or datetime.now().astimezone()
        self.tokens: list[Token] = list(tokenize(self.text))
        self.words = [token.text.lower() for token in self.tokens] + [""] * _PADDING
        self.taken = [False] * len(self.tokens)
        self.mentions: list[Mention] = []
        self._vocabulary: frozenset[str] | None = None

    @property
    def vocabulary(self) -> frozenset[str]:
        """The different words, for a quick look at whether one of some stands here."""
        if self._vocabulary is None:
            self._vocabulary = frozenset(self.words)
        return self._vocabulary

    def copy(self) -> TokenizedQuery:
        """Return a query of the same tokens, for a reader of its own."""
        other = object.__new__(TokenizedQuery)
        other.text, other.now = self.text, self.now
        other.tokens, other.words, other.taken = [*self.tokens], [*self.words], [*self.taken]
        other.mentions, other._vocabulary = [*self.mentions], self._vocabulary
        return other

    def replace(self, first: int, end: int, new: Sequence[Token]) -> None:
        """Put other tokens in the place of some, before anything is taken."""
        self._vocabulary = None
        self.tokens[first:end] = new
        self.words[first:end] = [token.text.lower() for token in new]
        self.taken[first:end] = [False] * len(new)

    def words_at(self, index: int, words: Sequence[str]) -> bool:
        """Return whether these words (in lower case) stand here, none of them taken."""
        end = index + len(words)
        return self.words[index:end] == list(words) and not any(self.taken[index:end])

    def matches(self, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], int, int]]:
        """Find matches of a pattern that cut no token: each with its first token and the index after it."""
        for match in pattern.finditer(self.text):
            start, stop = match.span()
            inside = [i for i, token in enumerate(self.tokens) if token.start < stop and token.end > start]
            if inside and self.tokens[inside[0]].start == start and self.tokens[inside[-1]].end == stop:
                yield match, inside[0], inside[-1] + 1

    def take(self, kind: str, value: Any, first: int, end: int) -> None:
        """Take tokens as a mention.

        Raises:
            UnreadError: if one of them has been taken.
        """
        if any(self.taken[first:end]):
            raise UnreadError(f"{self.source(first, end)!r} can be read in two ways.")
        self.understand(range(first, end))
        self.mentions.append(Mention(kind, value, first, end))

    def take_all(self, kind: str, find: Callable[[int], tuple[Any, int] | None]) -> None:
        """Take every mention that `find` sees at a token: its value and the index after it."""
        index = 0
        while index < len(self.tokens):
            found = find(index)
            if found is not None:
                self.take(kind, found[0], index, found[1])
            index = found[1] if found else index + 1

    def understand(self, indices: Iterable[int]) -> None:
        """Mark tokens as accounted for."""
        for index in indices:
            self.taken[index] = True

    def source(self, first: int, end: int) -> str:
        """Return the text of some tokens as the user wrote it."""
        return self.text[self.tokens[first].start : self.tokens[end - 1].end] if first < end else ""

    def is_spoken(self, index: int) -> bool:
        """Return whether the token stands for words, as `^` for "squared"."""
        token = self.tokens[index]
        return self.text[token.start].isalpha() and self.text[token.start : token.end].lower() != token.text

    def adjacent(self, index: int) -> bool:
        """Return whether the token at an index follows the one before it without a space."""
        return 0 < index < len(self.tokens) and self.tokens[index - 1].end == self.tokens[index].start
