"""A question as tokens, and which of them have been understood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tools.lexer import Token, tokenize

MAX_CHARACTERS = 2_000


class UnreadError(ValueError):
    """The arguments of a function cannot be taken from a question without guessing."""


class NotAskedError(UnreadError):
    """The question does not ask for this function at all."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A value in the question.

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


class Stream:
    """The tokens of a question; readers take tokens as mentions or as understood words.

    Args:
        text: the question.
        tokens: its tokens; read from the text if left out.

    Raises:
        UnreadError: if the text is empty, too long, or has characters that no question has.
    """

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise UnreadError(
                f"The question has {len(text)} characters; tools read at most {MAX_CHARACTERS}."
            )
        if "\0" in text:
            raise UnreadError("The question contains a NUL character.")
        self.text = text
        self.tokens: list[Token] = list(tokenize(text))
        self.lower = [token.text.lower().replace("’", "'") for token in self.tokens]
        self.taken = [False] * len(self.tokens)
        self.mentions: list[Mention] = []

    def __len__(self) -> int:
        return len(self.tokens)

    def replace(self, first: int, end: int, new: Sequence[Token]) -> None:
        """Put other tokens in the place of some, before anything is taken."""
        self.tokens[first:end] = new
        self.lower[first:end] = [token.text.lower() for token in new]
        self.taken[first:end] = [False] * len(new)

    def words_at(self, index: int, words: Sequence[str]) -> bool:
        """Whether these words (in lower case) stand here, none of them taken."""
        end = index + len(words)
        return self.lower[index:end] == list(words) and not any(self.taken[index:end])

    def take(self, kind: str, value: Any, first: int, end: int) -> Mention:
        """Take tokens as a mention.

        Raises:
            UnreadError: if one of them has been taken.
        """
        if any(self.taken[first:end]):
            raise UnreadError(f"{self.source(first, end)!r} can be read in two ways.")
        mention = Mention(kind, value, first, end)
        self.understand(range(first, end))
        self.mentions.append(mention)
        return mention

    def understand(self, indices: Iterable[int]) -> None:
        """Mark tokens as accounted for."""
        for index in indices:
            self.taken[index] = True

    def source(self, first: int, end: int) -> str:
        """The text of some tokens as the user wrote it."""
        return self.text[self.tokens[first].start : self.tokens[end - 1].end] if first < end else ""

    def is_spoken(self, index: int) -> bool:
        """Whether the token stands for words, as `^` for "squared"."""
        token = self.tokens[index]
        return self.text[token.start].isalpha() and self.text[token.start : token.end].lower() != token.text

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """The tokens of a part of the text: the first, and the index after the last; None if it cuts one."""
        inside = [i for i, token in enumerate(self.tokens) if token.start < end and token.end > start]
        if not inside or self.tokens[inside[0]].start != start or self.tokens[inside[-1]].end != end:
            return None
        return inside[0], inside[-1] + 1

    def adjacent(self, index: int) -> bool:
        """Whether the token at an index follows the one before it without a space."""
        return 0 < index < len(self) and self.tokens[index - 1].end == self.tokens[index].start
