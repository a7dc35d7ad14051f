"""Where conversations are kept."""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import ormsgpack
import pytest

from app.persistence.errors import PersistenceError, TypeNotAllowedError
from app.persistence.location import Place
from app.persistence.redis.store import RedisStore
from app.persistence.threads import export_thread, import_thread
from tests.app.persistence.conftest import Target
from tests.app.persistence.samples import checkpoint, config
from tests.app.persistence.test_threads import graph


def test_secrets_are_not_shown() -> None:
    place = Place(Path("x.sqlite"), "redis://:hidden@h/0", encryption_key="hidden")
    assert "hidden" not in repr(place)


async def test_sqlite_is_strict_too(tmp_path: Path) -> None:
    """A file that somebody else exported must not choose what is called."""
    async with Place(tmp_path / "x.sqlite").open() as saver:
        with pytest.raises(TypeNotAllowedError, match="Refused"):
            await saver.aput(config(), checkpoint({"a": Refused()}), {}, {"a": 1})
        await graph(saver).ainvoke({"messages": [("user", "hello")]}, config())
        header, *records = [line async for line in export_thread(saver, "thread")]
        call = ormsgpack.packb(ormsgpack.Ext(0, ormsgpack.packb(["os", "system", "true"])))
        record = json.loads(records[0])
        record["metadata"] = ["msgpack", base64.b64encode(call).decode()]
        with pytest.raises(TypeNotAllowedError, match=r"os\.system"):
            await import_thread(saver, [header, json.dumps(record), *records[1:]], "other")


@dataclass
class Refused:
    """Not among the safe types."""


async def test_the_store_is_where_the_threads_are(redis: Target, tmp_path: Path) -> None:
    for place, kind in (
        (Place(tmp_path / "x.sqlite", redis.url, ttl=60.0), RedisStore),
        (Place(tmp_path / "x"), None),
    ):
        async with place.open_store() as store:
            await store.aput(("lessons",), "key", {"a": 1})
            found = await store.aget(("lessons",), "key")
            assert found is not None and found.value == {"a": 1}
            assert kind is None or isinstance(store, kind)
    assert (tmp_path / "store.sqlite").exists()


async def test_a_redis_without_its_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "app.persistence.redis.saver", None)
    with pytest.raises(PersistenceError, match=r"\[redis\]"):
        async with Place(tmp_path / "x.sqlite", "redis://127.0.0.1:1").open():
            pass
