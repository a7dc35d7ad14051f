"""Keep long-term memory in plain Redis: a LangGraph store.

Items of one root label (the first of a namespace) live in one slot of a cluster: a string per item, which
expires on its own, and a sorted set that indexes them in the order of (namespace, key).
"""

from __future__ import annotations

import operator
import struct
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
)

from app.persistence.errors import CorruptDataError
from app.persistence.redis.client import ClosesClient, RedisClient
from app.persistence.redis.codec import Codec
from app.persistence.redis.keys import DEFAULT_PREFIX, Keys, decode_id, encode_id, encode_namespace
from app.persistence.redis.operations import Call, Operation, command, preload, script
from app.persistence.serializer import StrictSerializer, TypeName

_PAGE = 128
_HEAD = struct.Struct(">QQQ")
_MINUTE = 60_000

Namespace = tuple[str, ...]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


class RedisStore(ClosesClient, BaseStore):
    """Store items without vector search: `query` is ignored, as by `InMemoryStore` without an index.

    Args:
        client: the connections.
        ttl: default minutes to live and `refresh_on_read`, as LangGraph configures it.
        encryption_key: encrypts values; namespaces and keys are not encrypted.
        prefix: start of all key names.
        allow: types in values to rebuild besides LangGraph's safe ones.
    """

    supports_ttl = True

    def __init__(
        self,
        client: RedisClient,
        *,
        ttl: TTLConfig | None = None,
        encryption_key: bytes | str | None = None,
        prefix: str = DEFAULT_PREFIX,
        allow: Iterable[TypeName | type] = (),
    ) -> None:
        preload()
        self.client = client
        self.ttl_config = ttl
        self._keys = Keys(prefix)
        self._codec = Codec.of(StrictSerializer(allow), encryption_key)

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        ttl: TTLConfig | None = None,
        encryption_key: bytes | str | None = None,
        prefix: str = DEFAULT_PREFIX,
        allow: Iterable[TypeName | type] = (),
        cluster: bool = False,
    ) -> RedisStore:
        """Return a store for a url (see `RedisClient`); nothing is sent until it is used."""
        client = RedisClient(url, cluster=cluster)
        return cls(client, ttl=ttl, encryption_key=encryption_key, prefix=prefix, allow=allow)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations: reads first, then of several puts to one key the last, as `InMemoryStore` does."""
        return self.client.run(self._batch(list(ops)))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run as `batch` does."""
        return await self.client.arun(self._batch(list(ops)))

    def _batch(self, ops: list[Op]) -> Operation[list[Result]]:
        results: list[Result] = []
        puts: dict[tuple[Namespace, str], PutOp] = {}
        for op in ops:
            if isinstance(op, PutOp):
                puts[(op.namespace, op.key)] = op
                results.append(None)
            elif isinstance(op, GetOp):
                results.append((yield from self._get(op)))
            elif isinstance(op, SearchOp):
                results.append((yield from self._search(op)))
            elif isinstance(op, ListNamespacesOp):
                results.append((yield from self._namespaces(op)))
            else:
                raise ValueError(f"{op!r} is no operation of a store.")
        for op in puts.values():
            yield from self._put(op)
        return results

    def _get(self, op: GetOp) -> Operation[Item | None]:
        member = _encode_member(op.namespace, op.key)
        (item,) = yield from self._load(op.namespace[0], [member], op.refresh_ttl)
        return item

    def _put(self, op: PutOp) -> Operation[None]:
        root, member = op.namespace[0], _encode_member(op.namespace, op.key)
        keys = (self._item_key(root, member), self._index(root))
        if op.value is None:
            yield command("DEL", keys[0])
            yield command("ZREM", keys[1], member)
            return
        packed = self._codec.pack(dict(op.value))
        self._codec.check(packed)
        ttl = 0 if op.ttl is None else max(1, round(op.ttl * _MINUTE))
        yield command("ZADD", self._keys.store_roots, 0, encode_id(root))
        sealed = self._codec.seal(packed, member)
        yield script("store_put", keys, member, ttl, time.time_ns() // 1000, sealed)

    def _search(self, op: SearchOp) -> Operation[list[SearchItem]]:
        found: list[SearchItem] = []
        wanted = op.offset + op.limit
        for root in (yield from self._root_labels(op.namespace_prefix)):
            pages = _Pages(self._index(root), encode_namespace(op.namespace_prefix))
            members = yield from pages.next()
            while members and len(found) < wanted:
                items = yield from self._load(root, members, op.refresh_ttl)
                found += [_search_item(item) for item in items if item and _fits(item.value, op.filter)]
                members = yield from pages.next()
        return found[op.offset : wanted]

    def _namespaces(self, op: ListNamespacesOp) -> Operation[list[Namespace]]:
        found: dict[Namespace, None] = {}
        for root in (yield from self._root_labels(())):
            pages = _Pages(self._index(root), b"")
            while members := (yield from pages.next()):
                for member, item in zip(members, (yield from self._load(root, members, False)), strict=True):
                    namespace, _ = _decode_member(member)
                    if item is not None and _matches(namespace, op.match_conditions or ()):
                        found[namespace[: op.max_depth]] = None
        return sorted(found)[op.offset : op.offset + op.limit]

    def _root_labels(self, prefix: Sequence[str]) -> Operation[list[str]]:
        if prefix:
            return [prefix[0]]
        roots = yield command("ZRANGE", self._keys.store_roots, 0, -1)
        return [decode_id(root) for root in roots]

    def _load(self, root: str, members: Sequence[bytes], refresh: bool) -> Operation[list[Item | None]]:
        keys = (*(self._item_key(root, member) for member in members), self._index(root))
        raw = yield script("store_get", keys, "1" if refresh else "0", *members)
        return [data and self._item(member, data) for member, data in zip(members, raw, strict=True)]

    def _item(self, member: bytes, data: bytes) -> Item:
        namespace, key = _decode_member(member)
        _, created, updated = _HEAD.unpack_from(data)
        value = self._codec.unpack(self._codec.open(data[_HEAD.size :], member))
        return Item(
            value=value,
            key=key,
            namespace=namespace,
            created_at=_moment(created),
            updated_at=_moment(updated),
        )

    def _index(self, root: str) -> bytes:
        return self._keys.store(root) + b"index"

    def _item_key(self, root: str, member: bytes) -> bytes:
        return self._keys.store(root) + b"item:" + member


class _Pages:
    """Walk the members of an index that start with a prefix."""

    def __init__(self, index: bytes, prefix: bytes) -> None:
        self._index = index
        self._start = b"[" + prefix
        self._end = b"(" + prefix + b"\xff"
        self._done = False

    def next(self) -> Generator[Call, Any, list[bytes]]:
        """Return the next members, none at the end."""
        if self._done:
            return []
        members = yield command("ZRANGEBYLEX", self._index, self._start, self._end, "LIMIT", 0, _PAGE)
        self._done = len(members) < _PAGE
        if members:
            self._start = b"(" + members[-1]
        return list(members)


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, UTC)


def _search_item(item: Item) -> SearchItem:
    return SearchItem(item.namespace, item.key, item.value, item.created_at, item.updated_at)


def _encode_member(namespace: Sequence[str], key: str) -> bytes:
    """Return the member of the index for an item: namespace, `/`, key."""
    return encode_namespace(namespace) + b"/" + encode_id(key)


def _decode_member(member: bytes) -> tuple[Namespace, str]:
    """Undo `_encode_member`; raises `CorruptDataError`."""
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


def _matches(namespace: Namespace, conditions: Sequence[MatchCondition]) -> bool:
    """Return whether a namespace has the prefixes and suffixes asked for; `*` stands for any label."""
    return all(_match(namespace, condition) for condition in conditions)


def _match(namespace: Namespace, condition: MatchCondition) -> bool:
    size = len(condition.path)
    if len(namespace) < size:
        return False
    part = namespace[:size] if condition.match_type == "prefix" else namespace[len(namespace) - size :]
    return all(wanted in ("*", label) for label, wanted in zip(part, condition.path, strict=True))


def _fits(value: Mapping[str, Any], conditions: Mapping[str, Any] | None) -> bool:
    """Return whether a value meets all conditions; raises ValueError for an unknown operator."""
    return all(_holds(value.get(key), wanted) for key, wanted in (conditions or {}).items())


def _holds(actual: Any, wanted: Any) -> bool:
    if not (isinstance(wanted, Mapping) and any(str(key).startswith("$") for key in wanted)):
        return bool(actual == wanted)
    for name, operand in wanted.items():
        if name not in _OPERATORS:
            raise ValueError(f"The operator {name!r} is unknown; use one of {sorted(_OPERATORS)}.")
        try:
            if not _OPERATORS[name](actual, operand):
                return False
        except TypeError:  # None > 3: what has no order does not fit
            return False
    return True
