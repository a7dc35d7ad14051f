"""Write and read calls, `<nexa_4>('rewritten query')<nexa_end>`, by token ids and as text.

The functional token and `<nexa_end>` frame the call as ids, which text can never be, so nothing within the
quotes can end it. Quotes are escaped, so that the text alone is unambiguous too, for servers
that return text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from agents.errors import RoutingError
from agents.octopus.causal.prompt import PromptTokenizer

OPEN, CLOSE = "('", "')"
Fault = Literal["no token", "illegal token", "two tokens", "no end", "no quotes", "not text", "empty rewrite"]
_ESCAPE = re.compile(r"[\\']")
_ESCAPED = re.compile(r"\\([\\'])")
_FUNCTIONAL = re.compile(r"<nexa_(?:\d+|end)>")


class MalformedCallError(RoutingError):
    """Signal that what an Octopus wrote is no call; `fault` says in two words why not."""

    def __init__(self, message: str, fault: Fault) -> None:
        super().__init__(message)
        self.fault = fault


def write_call(query: str) -> str:
    """Return `query` as an argument."""
    return OPEN + escape(query) + CLOSE


def read_call(text: str) -> str:
    """Return the argument of a call that a server returned as text, without the tokens around it.

    Raises:
        MalformedCallError: see `read_argument`, or it holds another functional token.
    """
    inside = text.strip()
    if found := _FUNCTIONAL.search(inside):
        raise MalformedCallError(f"the Octopus wrote {found[0]!r} within a call.", "two tokens")
    return read_argument(inside)


def read_argument(text: str) -> str:
    """Return what `write_call` was given.

    Raises:
        MalformedCallError: it is not quoted, or empty.
    """
    if len(text) < len(OPEN + CLOSE) or not (text.startswith(OPEN) and text.endswith(CLOSE)):
        raise MalformedCallError(f"the Octopus wrote {text[:40]!r}, not {OPEN}…{CLOSE}.", "no quotes")
    query = unescape(text[len(OPEN) : -len(CLOSE)])
    if not query.strip():
        raise MalformedCallError("the Octopus wrote an empty query.", "empty rewrite")
    return query


def escape(text: str) -> str:
    r"""Escape `\` as `\\` and `'` as `\'`."""
    return _ESCAPE.sub(lambda match: "\\" + match[0], text)


def unescape(text: str) -> str:
    """Return what `escape` was given; a backslash before anything else stays."""
    return _ESCAPED.sub(lambda match: match[1], text)


@dataclass(frozen=True, slots=True)
class Call:
    """Hold the id of a functional token and the rewritten query."""

    token: int
    rewritten: str


@dataclass(frozen=True)
class Grammar:
    """Write and read calls in the ids of one tokenizer.

    Attributes:
        end: the id of `<nexa_end>`.
    """

    tokenizer: PromptTokenizer
    end: int

    def write(self, call: Call) -> list[int]:
        """Return the ids of a call, from the functional token to `<nexa_end>`."""
        return [call.token, *self.tokenizer.user_ids(write_call(call.rewritten)), self.end]

    def read(self, ids: Sequence[int], legal: Collection[int]) -> Call:
        """Return the call that `ids` is; what follows its `<nexa_end>` is ignored.

        Args:
            ids: a model's output.
            legal: functional tokens that may begin it.

        Raises:
            MalformedCallError: it is none.
        """
        if not ids or ids[0] not in self.tokenizer.special:
            raise _malformed("no token", f"it begins with {self._shown(ids[:1])}")
        if ids[0] not in legal:
            raise _malformed("illegal token", f"{self._shown(ids[:1])} is not an edge away")
        if self.end not in ids[1:]:
            raise _malformed("no end", f"cut off after {len(ids)} tokens")
        inside = ids[1 : ids.index(self.end, 1)]
        other = next((token for token in inside if token in self.tokenizer.special), None)
        if other is not None:
            raise _malformed("two tokens", f"{self._shown([other])} within the call")
        return Call(ids[0], self._unquoted(inside))

    def _unquoted(self, ids: Sequence[int]) -> str:
        text = self.tokenizer.decode(ids).strip(" ")  # tokenizers of the SentencePiece kind add a space
        if "\ufffd" in text and ids != self.tokenizer.user_ids(text):
            raise _malformed("not text", "its bytes are not UTF-8")
        return read_argument(text)

    def _shown(self, ids: Sequence[int]) -> str:
        return repr(self.tokenizer.control.id_to_token(ids[0])) if ids else "nothing"


def _malformed(fault: Fault, detail: str) -> MalformedCallError:
    return MalformedCallError(f"the Octopus wrote no call: {fault}: {detail}.", fault)
