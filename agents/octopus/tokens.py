"""Spell functional tokens: `<nexa_k>` names the k-th edge of the node that speaks, `<nexa_end>` stops."""

from __future__ import annotations

import re
from collections.abc import Collection

from agents.types import FunctionalToken

END_TOKEN = FunctionalToken("<nexa_end>")
POOL_SIZE = 1_000_000
"""Limit the slots that a master may use; generous, because a remote tool catalogue can be large."""

_SLOT = re.compile(r"<nexa_(0|[1-9][0-9]{0,5})>")
# What a person types that looks like a functional or control token of any model family. HTML's <s> is one.
_NAMES = (
    r"s|pad|unk|[be]os(?:_token)?|mask|cls|sep|eo[tm]|endoftext|(?:start|end)_of_\w{1,12}"
    r"|im_(?:start|end|sep)|(?:unused|extra_id|reserved)_?\d{1,5}"
)
_LOOKALIKE = re.compile(
    rf"<(?i:nexa_\w{{1,12}}|[|\uff5c][^<>|\uff5c]{{1,40}}[|\uff5c]|/?(?:{_NAMES}))>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_[A-Z]{1,12}|[BE]OS|PAD|UNK|CLS|SEP|g?MASK)\]"
)


def slot_token(slot: int) -> FunctionalToken:
    """Return `<nexa_slot>`.

    Raises:
        ValueError: the slot is negative or past the pool.
    """
    if not 0 <= slot < POOL_SIZE:
        raise ValueError(f"slot {slot!r} is outside 0..{POOL_SIZE - 1}")
    return FunctionalToken(f"<nexa_{slot}>")


def parse_token(text: str) -> int | None:
    """Return the slot of a functional token, or None if `text` is not exactly one."""
    match = _SLOT.fullmatch(text)
    return int(match[1]) if match else None


def defuse(text: str) -> str:
    """Space out look-alikes of functional and control tokens in `text` (`< nexa_3 >`).

    User text is only ever encoded as ordinary word pieces, so it cannot choose a token here; the spacing
    keeps the same promise for the models behind the workers, whose tokenizers may know such tokens.
    """
    return _LOOKALIKE.sub(lambda match: _spaced(match[0]), text)


def break_up(text: str, spellings: Collection[str]) -> str:
    """Space out each of `spellings` in `text`, as `defuse` does."""
    for one in sorted(spellings, key=len, reverse=True):
        if len(one) > 1:
            text = text.replace(one, _spaced(one))
    return text


def _spaced(token: str) -> str:
    return f"{token[0]} {token[1:-1]} {token[-1]}"
