"""With a key, Redis holds ids only; without the right key, nothing is read."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from app.persistence import RedisSaver, RedisStore
from app.persistence.errors import CorruptDataError
from app.persistence.redis.cache import RedisCache
from app.persistence.redis.operations import Operation, command
from tests.app.persistence.conftest import Target
from tests.app.persistence.samples import config, ids, put, values

KEY = bytes(range(32))
SECRETS = [b"secret", b"hidden_channel", b"hidden_task", b"hidden_path", b"hidden_meta", b"hidden_run"]


def everything(saver: RedisSaver) -> bytes:
    """All bytes of a server, keys and values."""

    def dump() -> Operation[bytes]:
        found = []
        for key in (yield command("KEYS", "*")):
            found.append(key)
            kind = yield command("TYPE", key)
            if kind == b"hash":
                found += [part for pair in (yield command("HGETALL", key)).items() for part in pair]
            elif kind == b"zset":
                found += yield command("ZRANGE", key, 0, -1)
            elif kind == b"set":
                found += yield command("SMEMBERS", key)
            else:
                found.append((yield command("GET", key)))
        return b"\0".join(found)

    return saver.client.run(dump())


def fill(saver: RedisSaver, url: str, key: bytes | None) -> None:
    log = [HumanMessage("secret " * 100), HumanMessage("secret")]
    where = put(saver, {"hidden_channel": log}, hidden_meta="secret", run_id="hidden_run")
    saver.put_writes(
        where, [("hidden_channel", ["secret " * 100]), ("b", "secret")], "hidden_task", "hidden_path"
    )
    with RedisStore.from_url(url, encryption_key=key) as store:
        store.put(("names",), "key", {"a": "secret"})
    with RedisCache[Any].from_url(url, encryption_key=key) as cache:
        cache.set({(("names",), "key"): ("secret", None)})


@pytest.mark.parametrize("size", [16, 24, 32])
def test_values_metadata_and_names_are_encrypted(clean_redis: Target, size: int) -> None:
    with clean_redis.saver(encryption_key=KEY[:size]) as saver:
        fill(saver, clean_redis.url, KEY[:size])
        held = everything(saver)
        assert not [secret for secret in SECRETS if secret in held]
        found = saver.get_tuple(config())
        assert found is not None and found.pending_writes is not None
        assert found.checkpoint["channel_values"]["hidden_channel"][1].content == "secret"
        assert found.metadata["run_id"] == "hidden_run"
        assert found.pending_writes[1] == ("hidden_task", "b", "secret")


def test_without_a_key_they_are_not(clean_redis: Target) -> None:
    """The test above can fail: it would see the secrets."""
    with clean_redis.saver() as saver:
        fill(saver, clean_redis.url, None)
        held = everything(saver)
        assert b"secret" in held and b"hidden_meta" in held


def test_another_key_is_an_error_and_never_an_empty_thread(redis: Target) -> None:
    with redis.saver(prefix="keys", encryption_key=KEY) as saver:
        put(saver, {"log": ["x" * 300]})
        assert saver.get_tuple(config(namespace="not used")) is None
        for key in (KEY[::-1], None):
            with redis.saver(prefix="keys", encryption_key=key) as other:
                for where in (config(), config(checkpoint_id="1"), config(namespace=None)):
                    with pytest.raises(CorruptDataError, match="encryption_key"):
                        other.get_tuple(where)
                    with pytest.raises(CorruptDataError, match="encryption_key"):
                        ids(other, where)


def test_swapped_or_changed_bytes_are_noticed(redis: Target) -> None:
    with redis.saver(prefix="swap", encryption_key=KEY) as saver:
        put(saver, {"a": "x" * 300, "b": "y" * 300}, id="1")
        put(saver, {"a": "z" * 300}, id="2")
        hash_key, _ = saver.layout.keys.thread("thread")

        def tamper(kind: bytes) -> Operation[None]:
            fields = {k: v for k, v in (yield command("HGETALL", hash_key)).items() if k[:1] == kind}
            names = sorted(fields)
            for name, other in zip(names, names[1:] + names[:1], strict=True):
                yield command("HSET", hash_key, name, fields[other])

        for kind in (b"i", b"c"):
            saver.client.run(tamper(kind))
            with pytest.raises(CorruptDataError):
                list(saver.list(config()))
            with pytest.raises(CorruptDataError):
                values(saver, config(checkpoint_id="1"))


def test_a_key_may_be_text(redis: Target) -> None:
    with redis.saver(prefix="text", encryption_key=base64.b64encode(KEY).decode()) as saver:
        put(saver, {"a": 1})
    with redis.saver(prefix="text", encryption_key=KEY) as saver:
        assert values(saver, config()) == {"a": 1}
