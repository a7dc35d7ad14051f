"""Namespaces of the store as bytes, so that the prefix of a namespace is the prefix of its bytes."""

from __future__ import annotations

from collections.abc import Sequence

from langgraph.store.base import MatchCondition

from app.persistence.errors import CorruptDataError
from app.persistence.redis.keys import decode_id, encode_id

Namespace = tuple[str, ...]


def encode_namespace(namespace: Sequence[str]) -> bytes:
    """Each label after its length: `2:ab1:c`."""
    return b"".join(b"%d:%s" % (len(label), label) for label in map(encode_id, namespace))


def encode_member(namespace: Sequence[str], key: str) -> bytes:
    """The member of the index for an item: namespace, `/`, key."""
    return encode_namespace(namespace) + b"/" + encode_id(key)


def decode_member(member: bytes) -> tuple[Namespace, str]:
    """Undo `encode_member`; raises `CorruptDataError`."""
    labels, at = [], 0
    try:
        while member[at : at + 1] != b"/":
            colon = member.index(b":", at)
            end = colon + 1 + int(member[at:colon])
            labels.append(decode_id(member[colon + 1 : end]))
            at = end
        return tuple(labels), decode_id(member[at + 1 :])
    except ValueError as error:
        raise CorruptDataError(f"The index of the store holds {member!r}.") from error


def matches(namespace: Namespace, conditions: Sequence[MatchCondition]) -> bool:
    """Whether a namespace has the prefixes and suffixes asked for; `*` stands for any label."""
    return all(_matches(namespace, condition) for condition in conditions)


def _matches(namespace: Namespace, condition: MatchCondition) -> bool:
    size = len(condition.path)
    if len(namespace) < size:
        return False
    part = namespace[:size] if condition.match_type == "prefix" else namespace[len(namespace) - size :]
    return all(wanted in ("*", label) for label, wanted in zip(part, condition.path, strict=True))
