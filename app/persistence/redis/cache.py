"""Cache the results of nodes in plain Redis, for sync and async.

A namespace is a hash and a sorted set of expiries in one slot; clearing it removes two keys, without KEYS
or SCAN.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from langgraph.cache.base import BaseCache, FullKey, Namespace, ValueT
from langgraph.checkpoint.serde.base import SerializerProtocol

from app.persistence.redis.client import ClosesClient, RedisClient
from app.persistence.redis.codec import Codec
from app.persistence.redis.keys import DEFAULT_PREFIX, Keys, encode_id, encode_namespace
from app.persistence.redis.operations import Operation, command, preload, script
from app.persistence.serializer import StrictSerializer, TypeName


class RedisCache(ClosesClient, BaseCache[ValueT]):
    """Keep results of nodes with a `cache_policy`; an unreachable server raises `UnavailableError`.

    Args:
        client: the connections.
        encryption_key: encrypts values.
        prefix: start of all key names.
        allow: types to rebuild besides LangGraph's safe ones.
        serde: another serializer, instead of the strict one with `allow`.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        encryption_key: bytes | str | None = None,
        prefix: str = DEFAULT_PREFIX,
        allow: Iterable[TypeName | type] = (),
        serde: SerializerProtocol | None = None,
    ) -> None:
        super().__init__(serde=serde or StrictSerializer(allow))
        preload()
        self.client = client
        self._keys = Keys(prefix)
        self._codec = Codec.of(self.serde, encryption_key)

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        encryption_key: bytes | str | None = None,
        prefix: str = DEFAULT_PREFIX,
        allow: Iterable[TypeName | type] = (),
        cluster: bool = False,
    ) -> RedisCache[ValueT]:
        """Return a cache for a url (see `RedisClient`); nothing is sent until it is used."""
        client = RedisClient(url, cluster=cluster)
        return cls(client, encryption_key=encryption_key, prefix=prefix, allow=allow)

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Return the values that are cached and have not expired."""
        return self.client.run(self._get(keys))

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Read as `get` does."""
        return await self.client.arun(self._get(keys))

    def set(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Cache values, each with its seconds to live, or None for ever."""
        self.client.run(self._set(pairs))

    async def aset(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Cache as `set` does."""
        await self.client.arun(self._set(pairs))

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget these namespaces, or all."""
        self.client.run(self._clear(namespaces))

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget as `clear` does."""
        await self.client.arun(self._clear(namespaces))

    def _get(self, keys: Sequence[FullKey]) -> Operation[dict[FullKey, ValueT]]:
        by_namespace: dict[Namespace, list[str]] = defaultdict(list)
        for namespace, key in keys:
            by_namespace[namespace].append(key)
        found: dict[FullKey, ValueT] = {}
        for namespace, names in by_namespace.items():
            encoded, args = encode_namespace(namespace), [encode_id(name) for name in names]
            raw = yield script("cache_get", self._keys.cache(encoded), *args)
            for name, field, sealed in zip(names, args, raw, strict=True):
                if sealed:
                    packed = self._codec.open(sealed, encoded + b"/" + field)
                    found[(namespace, name)] = self._codec.unpack(packed)
        return found

    def _set(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> Operation[None]:
        by_namespace: dict[Namespace, list[bytes | str]] = defaultdict(list)
        for (namespace, key), (value, ttl) in pairs.items():
            field, packed = encode_id(key), self._codec.pack(value)
            self._codec.check(packed)
            sealed = self._codec.seal(packed, encode_namespace(namespace) + b"/" + field)
            by_namespace[namespace] += [field, "" if ttl is None else str(ttl * 1000), sealed]
        for namespace, args in by_namespace.items():
            encoded = encode_namespace(namespace)
            yield command("ZADD", self._keys.cache_namespaces, 0, encoded)
            yield script("cache_set", self._keys.cache(encoded), *args)

    def _clear(self, namespaces: Sequence[Namespace] | None) -> Operation[None]:
        if namespaces is None:
            all_names: list[bytes] = yield command("ZRANGE", self._keys.cache_namespaces, 0, -1)
        else:
            all_names = [encode_namespace(namespace) for namespace in namespaces]
        for encoded in all_names:
            yield command("UNLINK", *self._keys.cache(encoded))
            yield command("ZREM", self._keys.cache_namespaces, encoded)
