"""Functional tokens: `<nexa_k>` names the k-th edge of the master that speaks, `<nexa_end>` stops."""

from __future__ import annotations

import re

from agents.types import FunctionalToken

END_TOKEN = FunctionalToken("<nexa_end>")
POOL_SIZE = 1_000_000
"""How many slots a master may use; generous, because a remote tool catalogue can be large."""

_SLOT = re.compile(r"<nexa_(0|[1-9][0-9]{0,5})>")
# What a person types that looks like a functional or control token of any model family.
_LOOKALIKE = re.compile(r"<(nexa_\w{1,12}|\|[^<>|]{1,40}\|)>", re.IGNORECASE)


def slot_token(slot: int) -> FunctionalToken:
    """`<nexa_slot>`.

    Raises:
        ValueError: the slot is negative or past the pool.
    """
    if not 0 <= slot < POOL_SIZE:
        raise ValueError(f"slot {slot!r} is outside 0..{POOL_SIZE - 1}")
    return FunctionalToken(f"<nexa_{slot}>")


def parse_token(text: str) -> int | None:
    """The slot of a functional token, or None if `text` is not exactly one."""
    match = _SLOT.fullmatch(text)
    return int(match[1]) if match else None


def defuse(text: str) -> str:
    """`text` with look-alikes of functional and control tokens spaced out (`< nexa_3 >`).

    User text is only ever encoded as ordinary word pieces, so it cannot choose a token here; the spacing
    keeps the same promise for the models behind the workers, whose tokenizers may know such tokens.
    """
    return _LOOKALIKE.sub(lambda match: f"< {match[1]} >", text)
