"""Bytes in Redis never choose what is called."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import os
import re
import uuid
from collections import deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import ormsgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Command, Interrupt, Send
from pydantic import BaseModel

from app.persistence.errors import CorruptDataError, TypeNotAllowedError
from app.persistence.redis.codec import Codec
from app.persistence.serializer import StrictSerializer
from tests.app.persistence.conftest import Target, opened
from tests.app.persistence.samples import checkpoint, config, put, values


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int


class Model(BaseModel):
    name: str


SAFE = [
    None,
    b"bytes",
    [1, 2.5, "text", {"a": None, 3: b"x"}],
    {1, 2},
    frozenset({"a"}),
    deque([1]),
    datetime(2026, 1, 2, tzinfo=UTC),
    timedelta(days=1),
    uuid.UUID(int=5),
    Decimal("1.5"),
    Path("a/b"),
    re.compile("a+", re.IGNORECASE),
    AIMessage("hello", id="1", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c"}]),
    [HumanMessage("hello")],
    Send("node", {"a": 1}),
    Interrupt("why", id="i"),
    Command(goto="node"),
    _DeltaSnapshot([HumanMessage("x")]),
]


@pytest.mark.parametrize("value", SAFE, ids=repr)
def test_safe_types_come_back(value: Any) -> None:
    strict = StrictSerializer()
    data = strict.dumps_typed(value)
    strict.check(data)
    assert strict.loads_typed(data) == value
    assert type(strict.loads_typed(data)) is type(value)
    assert JsonPlusSerializer().dumps_typed(value) == data


@pytest.mark.parametrize(
    "value",
    [
        *(np.float64(1.5), np.float32(0.1), np.int64(-3), np.uint8(7), np.bool_(True)),
        *(Fraction(1, 3), 1 + 2j, 10**40, -(2**63) - 1, 2**64),
        {"deep": [(10**40, Fraction(-2, 7)), {"a": np.int64(1), "b": 2**63}]},
    ],
    ids=repr,
)
async def test_numbers_come_back(value: Any, redis: Target, tmp_path: Path) -> None:
    strict = StrictSerializer()
    data = strict.dumps_typed(value)
    strict.check(data)
    assert repr(strict.loads_typed(data)) == repr(value).replace("(100", "[100").replace("7))", "7)]")
    for kind in ("redis", "sqlite"):
        async with opened(kind, redis, tmp_path / "file") as saver:
            await saver.aput(config(), checkpoint({"a": value, "list": [value]}), {}, {"a": 1, "list": 1})
            found = await saver.aget_tuple(config())
            assert found is not None
            assert repr(found.checkpoint["channel_values"]["list"][0]) == repr(strict.loads_typed(data))


def test_what_msgpack_cannot_carry_is_named() -> None:
    for value in (object(), {"a": [object()]}, np.datetime64("2026-01-01"), np.longdouble(1)):
        with pytest.raises(TypeError, match="not msgpack serializable"):
            StrictSerializer().dumps_typed(value)


def test_arrays_come_back() -> None:
    strict, array = StrictSerializer(), np.arange(6.0).reshape(2, 3)
    assert (strict.loads_typed(strict.dumps_typed(array)) == array).all()


@pytest.mark.parametrize("value", [Colour.RED, Point(1), Model(name="x"), [{"deep": (Point(1),)}]], ids=repr)
def test_other_types_are_named_and_can_be_allowed(redis: Target, value: Any) -> None:
    with redis.saver(prefix="allow") as saver, pytest.raises(TypeNotAllowedError) as refused:
        put(saver, {"a": value})
    assert isinstance(refused.value, TypeError)
    assert __name__ in str(refused.value) and "allow=[" in str(refused.value)
    name = (refused.value.module, refused.value.name)
    for allow in ([name], [Colour, Point, Model]):
        with redis.saver(prefix="allow", allow=allow) as saver:
            put(saver, {"a": value})
            assert repr(values(saver, config())["a"]).replace("(", "[").replace(")", "]").replace(
                ",]", "]"
            ) == repr(value).replace("(", "[").replace(")", "]").replace(",]", "]")
    with redis.saver(prefix="allow") as saver, pytest.raises(TypeNotAllowedError):
        values(saver, config())
    with redis.saver(prefix="allow") as saver:
        assert values(saver.with_allowlist([name]), config())


CALLED: list[Any] = []


def call_me(*args: Any, **kwargs: Any) -> None:
    CALLED.append((args, kwargs))


def hostile() -> list[tuple[str, bytes]]:
    """Every form that could name a function."""
    made = []
    for module, name in [
        ("os", "system"),
        ("builtins", "eval"),
        (__name__, "call_me"),
        ("subprocess", "run"),
    ]:
        for code in range(8):
            for argument in ("1", ["1"], {"a": "1"}):
                for method in ("__call__", "fromisoformat", "system"):
                    fields = ormsgpack.packb([module, name, argument, method])
                    made.append(("msgpack", ormsgpack.packb([{"x": ormsgpack.Ext(code, fields)}])))
    constructor = b'{"lc": 2, "type": "constructor", "id": ["os", "system"], "args": ["true"]}'
    made += [
        ("json", constructor),
        ("json", constructor.replace(b"2", b"1", 1)),
        ("pickle", b"cos\nsystem\n(S'true'\ntR."),
    ]
    return made


def test_hostile_bytes_call_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "system", call_me)
    strict = StrictSerializer()
    for data in hostile():
        try:
            strict.loads_typed(data)
        except (TypeNotAllowedError, CorruptDataError):
            continue
        code = ormsgpack.unpackb(data[1], ext_hook=lambda code, _: code)[0]["x"]
        assert code in (6, 7)  # an array and a snapshot name nothing
    assert CALLED == []


def test_items_decoded_at_once_are_those_decoded_one_by_one() -> None:
    codec = Codec.of(StrictSerializer())
    packed = [codec.pack(value) for value in [*SAFE, deep(250), b"bytes", bytearray(b"x")]]
    one_by_one = [codec.unpack(one) for one in packed]
    assert repr(codec.unpack_all(packed)) == repr(one_by_one)
    refused = Codec.of(JsonPlusSerializer()).pack(Point(1))
    with pytest.raises(TypeNotAllowedError, match="Point"):
        codec.unpack_all([packed[3], refused])
    with pytest.raises(CorruptDataError):
        codec.unpack_all([packed[3], packed[3][:-1]])


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_the_permissive_serializer_would_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail."""
    fields = ormsgpack.packb([__name__, "call_me", "1"])
    JsonPlusSerializer(allowed_msgpack_modules=True).loads_typed(
        ("msgpack", ormsgpack.packb(ormsgpack.Ext(0, fields)))
    )
    assert CALLED == [(("1",), {})]
    CALLED.clear()


@example(b"\xd4\x00\x81", "msgpack")  # an extension whose content is cut short
@given(st.binary(max_size=200), st.sampled_from(["msgpack", "json", "pickle", "", "msgpack+aes"]))
def test_any_bytes_are_a_value_or_an_error(data: bytes, form: str) -> None:
    with contextlib.suppress(TypeNotAllowedError, CorruptDataError):
        StrictSerializer().loads_typed((form, data))


@given(
    st.integers(-1, 9),
    st.sampled_from(["os", "builtins", "datetime", "re", "langchain_core.messages.ai", ""]),
    st.sampled_from(["system", "eval", "datetime", "compile", "AIMessage", "__doc__", ""]),
    st.recursive(
        st.none() | st.text() | st.integers(-9, 9), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    ),
)
def test_any_object_is_a_safe_one_or_an_error(code: int, module: str, name: str, argument: Any) -> None:
    fields = ormsgpack.packb([module, name, argument])
    data = ormsgpack.packb(ormsgpack.Ext(code % 128, fields))
    try:
        built = StrictSerializer().loads_typed(("msgpack", data))
    except (TypeNotAllowedError, CorruptDataError):
        return
    assert isinstance(built, datetime | re.Pattern | AIMessage | _DeltaSnapshot | np.ndarray)
