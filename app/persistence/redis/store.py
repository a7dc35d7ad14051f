"""Long-term memory on plain Redis: a LangGraph store.

Items of one root label (the first of a namespace) live in one slot of a cluster: a string per item, which
expires on its own, and a sorted set that indexes them in the order of (namespace, key).
"""

from __future__ import annotations

import struct
import time
from collections.abc import Generator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
)

from app.persistence.redis.client import RedisClient
from app.persistence.redis.closing import ClosesClient
from app.persistence.redis.codec import Codec
from app.persistence.redis.encryption import Secrecy
from app.persistence.redis.filters import fits
from app.persistence.redis.keys import DEFAULT_PREFIX, Keys, decode_id, encode_id
from app.persistence.redis.namespaces import (
    Namespace,
    decode_member,
    encode_member,
    encode_namespace,
    matches,
)
from app.persistence.redis.operations import Call, Operation, command
from app.persistence.redis.scripts import load, preload
from app.persistence.serializer import StrictSerializer, TypeName

_PAGE = 128
_HEAD = struct.Struct(">QQQ")
_MINUTE = 60_000


class RedisStore(ClosesClient, BaseStore):
    """A store without vector search: `query` is ignored, as by `InMemoryStore` without an index.

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
        self._codec = Codec(StrictSerializer(allow), Secrecy(encryption_key))

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
        """A store for a url (see `RedisClient`); nothing is sent until it is used."""
        client = RedisClient(url, cluster=cluster)
        return cls(client, ttl=ttl, encryption_key=encryption_key, prefix=prefix, allow=allow)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations: reads first, then of several puts to one key the last, as `InMemoryStore` does."""
        return self.client.run(self._batch(list(ops)))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`."""
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
        member = encode_member(op.namespace, op.key)
        (item,) = yield from self._load(op.namespace[0], [member], op.refresh_ttl)
        return item

    def _put(self, op: PutOp) -> Operation[None]:
        root, member = op.namespace[0], encode_member(op.namespace, op.key)
        keys = (self._item_key(root, member), self._index(root))
        if op.value is None:
            yield command("DEL", keys[0])
            yield command("ZREM", keys[1], member)
            return
        packed = self._codec.pack(dict(op.value))
        self._codec.check(packed)
        ttl = 0 if op.ttl is None else max(1, round(op.ttl * _MINUTE))
        yield command("ZADD", self._keys.store_roots, 0, encode_id(root))
        args = (member, ttl, time.time_ns() // 1000, self._codec.secrecy.seal(packed, member))
        yield Call(script=load("store_put"), keys=keys, args=args)

    def _search(self, op: SearchOp) -> Operation[list[SearchItem]]:
        found: list[SearchItem] = []
        wanted = op.offset + op.limit
        for root in (yield from self._root_labels(op.namespace_prefix)):
            pages = self._pages(root, encode_namespace(op.namespace_prefix))
            members = yield from pages.next()
            while members and len(found) < wanted:
                items = yield from self._load(root, members, op.refresh_ttl)
                found += [_search_item(item) for item in items if item and fits(item.value, op.filter)]
                members = yield from pages.next()
        return found[op.offset : wanted]

    def _namespaces(self, op: ListNamespacesOp) -> Operation[list[Namespace]]:
        found: dict[Namespace, None] = {}
        for root in (yield from self._root_labels(())):
            pages = self._pages(root, b"")
            while members := (yield from pages.next()):
                for member, item in zip(members, (yield from self._load(root, members, False)), strict=True):
                    namespace, _ = decode_member(member)
                    if item is not None and matches(namespace, op.match_conditions or ()):
                        found[namespace[: op.max_depth]] = None
        return sorted(found)[op.offset : op.offset + op.limit]

    def _root_labels(self, prefix: Sequence[str]) -> Operation[list[str]]:
        if prefix:
            return [prefix[0]]
        roots = yield command("ZRANGE", self._keys.store_roots, 0, -1)
        return [decode_id(root) for root in roots]

    def _load(self, root: str, members: Sequence[bytes], refresh: bool) -> Operation[list[Item | None]]:
        keys = (*(self._item_key(root, member) for member in members), self._index(root))
        raw = yield Call(script=load("store_get"), keys=keys, args=("1" if refresh else "0", *members))
        return [data and self._item(member, data) for member, data in zip(members, raw, strict=True)]

    def _item(self, member: bytes, data: bytes) -> Item:
        namespace, key = decode_member(member)
        _, created, updated = _HEAD.unpack_from(data)
        value = self._codec.unpack(self._codec.secrecy.open(data[_HEAD.size :], member))
        return Item(
            value=value,
            key=key,
            namespace=namespace,
            created_at=_moment(created),
            updated_at=_moment(updated),
        )

    def _pages(self, root: str, prefix: bytes) -> _Pages:
        return _Pages(self._index(root), prefix)

    def _index(self, root: str) -> bytes:
        return self._keys.store(root) + b"index"

    def _item_key(self, root: str, member: bytes) -> bytes:
        return self._keys.store(root) + b"item:" + member


class _Pages:
    """Walks the members of an index that start with a prefix."""

    def __init__(self, index: bytes, prefix: bytes) -> None:
        self._index = index
        self._start = b"[" + prefix
        self._end = b"(" + prefix + b"\xff"
        self._done = False

    def next(self) -> Generator[Call, Any, list[bytes]]:
        """The next members, none at the end."""
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
